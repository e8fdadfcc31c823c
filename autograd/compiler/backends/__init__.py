"""Back ends: each translates a `Program` to one language; Python, LLVM and JAX also run it."""
