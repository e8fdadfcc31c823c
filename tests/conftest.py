"""Hypothesis tries the same examples at every run; `--hypothesis-profile=explore` looks further."""

from hypothesis import settings

settings.register_profile("steady", deadline=None, max_examples=150, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=3000)
settings.load_profile("steady")
