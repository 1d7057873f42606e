"""Tables of ARKit coefficients in the forms in which apps write them."""

from __future__ import annotations

import numpy as np
import pytest

from hifi_portrait.errors import MotionError
from hifi_portrait.head.geometry import EXPRESSION_NAMES
from hifi_portrait.motion import read_arkit

LEFT, RIGHT = EXPRESSION_NAMES.index("mouthSmileLeft"), EXPRESSION_NAMES.index("mouthSmileRight")


def write(path, header, rows):
    lines = [",".join(map(str, row)) for row in (header, *rows)]
    path.write_text("\n".join(lines) + "\n")
    return path


def live_link(path, codes, rate_of_change=0.1):
    """As Live Link Face writes it: names in Pascal case, head angles in radians."""
    names = [name[0].upper() + name[1:] for name in EXPRESSION_NAMES]
    header = ["Timecode", "BlendShapeCount", *names, "HeadYaw", "HeadPitch", "HeadRoll", "LeftEyeYaw"]
    rows = [
        [
            code,
            61,
            *[0.25 if name == "MouthSmileLeft" else 0 for name in names],
            number * rate_of_change,
            0,
            0,
            0,
        ]
        for number, code in enumerate(codes)
    ]
    return write(path, header, rows)


def test_live_link_faces_table_is_read(tmp_path):
    motion = read_arkit(live_link(tmp_path / "a.csv", ["14:03:52:58.5", "14:03:52:59.5", "14:03:53:00.5"]))
    assert motion.times == pytest.approx([0, 1 / 60, 2 / 60], abs=1e-9)
    assert motion.pose[:, 0] == pytest.approx(np.degrees([0, 0.1, 0.2]))
    assert motion.expression[:, LEFT] == pytest.approx(0.25)
    assert motion.expression[:, RIGHT] == pytest.approx(0)


def test_timecodes_of_thirty_frames_are_seen_to_be_such(tmp_path):
    codes = [f"00:00:{second:02d}:{frame:02d}" for second in range(2) for frame in range(30)]
    assert read_arkit(live_link(tmp_path / "a.csv", codes, 0.0)).duration == pytest.approx(59 / 30)


def test_order_and_case_are_free_and_seconds_are_taken(tmp_path):
    header = ["JAW_OPEN", "mouthSmile_L", "seconds", "headyaw", *EXPRESSION_NAMES[:10]]
    rows = [[0.5, 0.2, 3.0, 30, *[0] * 10], [0.6, 0.3, 3.5, 35, *[0] * 10]]
    motion = read_arkit(write(tmp_path / "a.csv", header, rows))
    assert motion.times == pytest.approx([0, 0.5])
    assert motion.expression[:, EXPRESSION_NAMES.index("jawOpen")] == pytest.approx([0.5, 0.6])
    assert motion.expression[:, LEFT] == pytest.approx([0.2, 0.3])
    assert motion.pose[:, 0] == pytest.approx([30, 35])


def test_a_mirrored_table_has_left_and_right_exchanged(tmp_path):
    motion = read_arkit(live_link(tmp_path / "a.csv", ["0:0:0:0", "0:0:0:1"]), mirrored=True)
    assert motion.expression[0, RIGHT] == pytest.approx(0.25)
    assert motion.pose[1, 0] == pytest.approx(-np.degrees(0.1))


@pytest.mark.parametrize(
    ("header", "rows", "message"),
    [
        (["a", "b"], [[1, 2]], "names 0 of the 52 ARKit coefficients"),
        (["time", *EXPRESSION_NAMES], [], "no rows below its header"),
        (["time", *EXPRESSION_NAMES], [[0, *["x"] * 52]], "line 2: browdownleft is 'x', which is no number"),
        (["time", *EXPRESSION_NAMES], [[0, *[0] * 52], [1, 0]], "line 3: the row ends before the column"),
        (["time", *EXPRESSION_NAMES], [[1, *[0] * 52], [0, *[0] * 52]], "line 3: time runs backwards"),
        (["Timecode", *EXPRESSION_NAMES], [["1.5", *[0] * 52]], "line 2: '1.5' is no timecode"),
    ],
)
def test_what_is_no_such_table_is_refused_by_line_and_column(tmp_path, header, rows, message):
    with pytest.raises(MotionError, match=f"a.csv.*{message}"):
        read_arkit(write(tmp_path / "a.csv", header, rows))


def test_files_that_are_no_text_or_missing_are_refused_by_name(tmp_path):
    (tmp_path / "a.csv").write_bytes(bytes(range(256)) * 4)
    for name in ("a.csv", "b.csv"):
        with pytest.raises(MotionError, match=name):
            read_arkit(tmp_path / name)
