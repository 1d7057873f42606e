import subprocess
import sys

import pytest

TOUCH = """
import resource, torch
{keep}
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
torch.ones(16_000_000)
before = faults()
for _ in range(5):
    torch.ones(16_000_000)
print(faults() - before)
"""
KEEP = "from hifi_portrait.training.memory import keep_freed_memory; assert keep_freed_memory()"


def page_faults(keep):
    run = [sys.executable, "-c", TOUCH.format(keep=keep)]
    return int(subprocess.run(run, check=True, capture_output=True, text=True).stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's settings")
def test_freed_memory_is_not_faulted_in_anew():
    assert page_faults(KEEP) < 0.2 * page_faults("")
