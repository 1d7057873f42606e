import numpy as np
import pytest

from hifi_portrait.synthetic.body_mesh import body_mesh
from hifi_portrait.synthetic.garment_cuts import CUTS, GARMENTS, Neckline, Opening
from hifi_portrait.synthetic.outfits import OUTFITS, skin_bare_in

THROAT, NAPE = (np.array([0.0]), np.array([-0.06])), (np.array([0.0]), np.array([0.06]))


def height(name: str, place: tuple[np.ndarray, np.ndarray]) -> float:
    return float(CUTS[name].neckline.height(*place)[0])


def test_fractions_of_garments_add_up_to_one():
    assert sum(garment.fraction for garment in GARMENTS.values()) == pytest.approx(1)


def test_necklines_are_ordered_at_the_throat_as_their_names_say():
    order = ("jacket", "v-neck", "top", "collared shirt", "t-shirt", "dress shirt", "turtleneck")
    heights = [height(name, THROAT) for name in order]
    assert heights == sorted(heights)


@pytest.mark.parametrize("name", [name for name, cut in CUTS.items() if cut.sleeve_x is None])
def test_no_neckline_is_cut_out_behind(name: str):
    assert height(name, NAPE) > -0.105


def test_an_opening_is_a_v_or_a_scoop():
    x, front = np.array([0.0, 0.03, 0.06]), np.full(3, -0.06)
    v = Neckline(opening=Opening(-0.2, slope=1.0)).height(x, front)
    scoop = Neckline(opening=Opening(-0.2, curve=10.0)).height(x, front)
    np.testing.assert_allclose(v, (-0.2, -0.17, -0.14))
    np.testing.assert_allclose(scoop, (-0.2, -0.191, -0.164))


def test_sleeves_end_where_they_are_said_to_and_straps_go_over_the_shoulders():
    shoulder = np.array([[0.2, 0.0, -0.15]])
    assert CUTS["t-shirt"].field(shoulder) > 0 > CUTS["tank top"].field(shoulder)
    strap, beside = np.array([[0.100, -0.05, -0.15]]), np.array([[0.070, -0.05, -0.15]])
    assert CUTS["straps"].field(strap) > 0 > CUTS["straps"].field(beside)


@pytest.mark.parametrize("name", OUTFITS)
def test_outfits_hide_the_chest_and_leave_the_face(name: str):
    template = body_mesh().template[: body_mesh().num_vertices]
    bare = skin_bare_in(name)
    chest = (template[:, 2] < -0.26) & (template[:, 1] < -0.05) & (np.abs(template[:, 0]) < 0.12)
    assert (bare[chest] < 0).mean() > 0.9
    assert (bare[template[:, 2] > -0.04] >= 0).all()
