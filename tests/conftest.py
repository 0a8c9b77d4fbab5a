"""Settings that all tests share."""

import os
import signal

import pytest
from hypothesis import HealthCheck, settings

from tinycnn.runtime.balance import Balance

MEASURED = Balance.pays

# A first call compiles for seconds and a shared machine stalls: time is not checked here. The same
# examples on every run: a red run is red for everybody, and says how to repeat it.
# A plain run draws a third; the gate draws all: pytest --hypothesis-profile thorough.
for name, examples in (("quick", 34), ("thorough", 100)):
    settings.register_profile(
        name,
        max_examples=examples,
        deadline=None,
        derandomize=True,
        print_blob=True,
        suppress_health_check=[HealthCheck.too_slow],
    )
settings.load_profile("quick")


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Two processes share the whole suite, unless ``-n`` says otherwise or a debugger is asked for."""
    option = config.option
    whole = config.args_source is config.ArgsSource.TESTPATHS and not hasattr(config, "workerinput")
    if whole and not option.usepdb and getattr(option, "numprocesses", 0) is None:
        option.numprocesses, option.dist = 2, "worksteal"


def pytest_runtest_setup(item):
    """Helpers are called whatever they are worth, but where that is what is tested."""
    Balance.pays = MEASURED if item.path.name == "test_balance.py" else True


# Whether a kernel was compiled before does not belong in what tests read on stderr.
os.environ["TINYCNN_QUIET"] = "1"


@pytest.fixture
def ctrl_c():
    """Ctrl-C does what it does in Python by itself, whatever runs the tests: in the background a shell
    has it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.signal(signal.SIGINT, before) is signal.default_int_handler
