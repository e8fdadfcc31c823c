"""What loads when, and the ImportError for an optional dependency."""

from __future__ import annotations

import subprocess
import sys

import pytest

import autograd as ag

LIBRARIES = {"jax": "JAX", "keras": "Keras on .*", "sklearn": "scikit-learn", "torch": "PyTorch"}


CALLS = {
    "jax": lambda: ag.interop.to_jax_model(ag.MLP(2, [1])),
    "keras": lambda: ag.interop.from_keras(None),
    "sklearn": lambda: ag.interop.sklearn,
    "torch": lambda: ag.interop.to_torch(ag.MLP(2, [1])),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", LIBRARIES)
def test_a_missing_library_is_told_with_what_to_install(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, "autograd.interop.sklearn", raising=False)
    monkeypatch.delattr(ag.interop, "sklearn", raising=False)
    for loaded in [x for x in sys.modules if x == name or x.startswith(f"{name}.")]:
        monkeypatch.setitem(sys.modules, loaded, None)  # type: ignore[arg-type]
    monkeypatch.setitem(sys.modules, name, None)  # type: ignore[arg-type]
    expected = rf"needs {LIBRARIES[name]}: pip install 'scalar-autograd\[{name}\]'"
    with pytest.raises(ImportError, match=expected):
        CALLS[name]()


@pytest.mark.slow
def test_a_library_loads_when_it_is_asked_for() -> None:
    pytest.importorskip("torch", reason="PyTorch is not installed")
    program = (
        "import sys, autograd as ag\n"
        "assert not {'torch', 'jax', 'keras', 'sklearn', 'numpy'} & set(sys.modules)\n"
        "ag.interop.to_torch(ag.MLP(2, [1]))\n"
        "assert 'torch' in sys.modules and not {'jax', 'keras', 'sklearn'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_what_there_is() -> None:
    assert dir(ag.interop) == sorted(ag.interop.__all__)
    with pytest.raises(AttributeError, match="no attribute 'tensorflow'"):
        _ = ag.interop.tensorflow
