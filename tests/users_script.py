"""What a user writes on an ordinary day: read by type checkers as an editor runs them, and run."""

from typing import Any

import autograd as ag

X, Y = ag.datasets.moons(40, noise=0.1, seed=0)
model = ag.MLP(2, [8, 1], activation="tanh", seed=0)
model(X[0]).backward()
model.zero_grad()
optimizer = ag.Adam(model.parameters(), 0.1)
history = ag.fit(model, ag.binary_cross_entropy, X, Y, optimizer, epochs=3, progress=False)
print(f"{history[-1].loss:.3f}", model.score(X, Y), model.predict(X[:2])[0])

a, b = ag.Value(2.0, "a"), ag.Value(-3.0, label="b")
loss = ag.mean([(a * b + 1) ** 2, 0.5 * a, ag.exp(b), ag.maximum(a, 0.0)])
loss += ag.where(a > b, a, 0.0) + ag.sum(w * w for w in (a, b)) + ag.dot([a, b], [1.0, 2])
loss.label = "loss"
loss.backward()
(slope,) = ag.grad(loss, [a])
print(slope.data, ag.explain(loss, a), ag.draw(loss).svg[:4], next(iter(ag.forward_steps(loss))))
descent = ag.GradientDescent([a, b], learning_rate=0.01, momentum=0.9)
descent.step()
descent.zero_grad()
a.data -= 0.1 * (b.grad or 0.0)


def f(x: Any, y: Any) -> Any:
    return x * y + ag.sin(x)


print(ag.gradient(f)(1.0, 2.0)[0] + 1.0, ag.value_and_gradient(f)(1.0, 2.0)[0])
print(ag.hessian(f)(1.0, 2.0)[0][1], ag.jacobian(lambda p: [p[0], p[1] ** 2])([1.0, 2.0])[1][1])
compiled = ag.jit(f, backend="python")
print(compiled([1.0, 2.0], [3.0, 4.0])[0], compiled.mean([1.0], [2.0]) / 2.0)
ag.check_gradient(lambda x: x.tanh(), [0.5])


class Line(ag.Module):
    def __init__(self) -> None:
        self.slope, self.height = ag.Value(1.0), ag.Value(0.0)

    def __call__(self, x: float) -> ag.Value:
        return self.slope * x + self.height


line = Line()
losses = [ag.mean_squared_error(line(x), 2.0 * x) for x in (0.0, 1.0)]
ag.mean(losses).backward()
ag.AdamW(line.parameters(), learning_rate=0.1).step()
with ag.no_grad():
    print(line(3.0).data, ag.softmax([1.0, 2.0])[0], ag.clip(a, 0.0, 1.0), ag.norm_cdf(0.5) + 1.0)
ag.softmax([a, b])[0].backward()
ag.logsumexp([a, 1.0]).backward()
ag.clip(b, 0, a).backward()
ag.norm_cdf(a).backward()
print(ag.logsumexp([1.0, 2.0]) + ag.clip(0.5, 0.0, 1.0), sum(ag.softmax([1.0, 2.0])))
print(ag.gradient(f)(1.0, y=2.0), ag.__version__)
