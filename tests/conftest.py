"""Settings that all tests share."""

from hypothesis import HealthCheck, settings

# A first call compiles for seconds and a shared machine stalls: time is not checked here. The same
# examples on every run: a red run is red for everybody, and says how to repeat it.
settings.register_profile(
    "tinycnn",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("tinycnn")
