"""Hypothesis tries the same examples at every run; `--hypothesis-profile=explore` looks further."""

from hypothesis import HealthCheck, settings

slow_is_fine = [HealthCheck.too_slow]  # a busy machine is no fault of the code
settings.register_profile(
    "steady",
    deadline=None,
    max_examples=150,
    derandomize=True,
    suppress_health_check=slow_is_fine,
)
settings.register_profile(
    "explore", deadline=None, max_examples=3000, suppress_health_check=slow_is_fine
)
settings.load_profile("steady")
