"""Derivatives as graph (`grad`), and transformations of functions (`gradient`, `hessian`, …).

`grad` reads the same rules as `backward()`, with Values in place of floats, so that the gradient
it returns is a graph itself: it can be differentiated again, drawn, or compiled.

    >>> x = Value(3.0, "x")
    >>> (slope,) = grad(x**3, [x])
    >>> (curvature,) = grad(slope, [x])
    >>> slope.data, curvature.data
    (27.0, 18.0)

The others take a function and return one, in the structure of the arguments: lists, tuples,
dictionaries, NumPy arrays. Floats give floats if the result depends on the arguments alone; Values
give Values, and so do floats if the function also depends on other Values. So they compose. What is
given by its name, `gradient(f)(x, n=3)`, is handed on as it is, a constant.

    >>> gradient(lambda x, y: x * y**2)(3.0, 2.0)
    (4.0, 12.0)
    >>> gradient(gradient(lambda x: x**3))(3.0)
    18.0
    >>> gradient(lambda a: a * gradient(lambda y: a * y)(1.0))(3.0)
    6.0
    >>> hessian(lambda v: v[0] * v[1] ** 2)([3.0, 2.0])
    [[0.0, 4.0], [4.0, 6.0]]
"""

from autograd.derivatives.custom import custom
from autograd.derivatives.graph import grad
from autograd.derivatives.transformations import (
    gradient,
    hessian,
    hessian_vector_product,
    jacobian,
    jvp,
    value_and_gradient,
    vjp,
)

__all__ = [
    "custom",
    "grad",
    "gradient",
    "hessian",
    "hessian_vector_product",
    "jacobian",
    "jvp",
    "value_and_gradient",
    "vjp",
]
