// Random numbers as `random.Random` of Python has them: a seed means the same here as there.

// The Mersenne Twister (Matsumoto and Nishimura, 1998): a function that returns 32 random bits.
// The key is the seed in words of 32 bits, the lowest first.
function twister(key) {
  const N = 624, state = new Uint32Array(N);
  const mixed = i => state[i - 1] ^ (state[i - 1] >>> 30);
  let at = N, i = 1;
  const next = () => { if (++i >= N) { state[0] = state[N - 1]; i = 1; } };
  state[0] = 19650218;
  for (let k = 1; k < N; k++) state[k] = Math.imul(1812433253, mixed(k)) + k;
  for (let k = 0; k < Math.max(N, key.length); k++) {
    const j = k % key.length;
    state[i] = (state[i] ^ Math.imul(mixed(i), 1664525)) + key[j] + j;
    next();
  }
  for (let k = 1; k < N; k++) {
    state[i] = (state[i] ^ Math.imul(mixed(i), 1566083941)) - i;
    next();
  }
  state[0] = 0x80000000;
  return () => {
    if (at === N) {
      for (let k = 0; k < N; k++) {
        const y = (state[k] & 0x80000000) | (state[(k + 1) % N] & 0x7fffffff);
        state[k] = state[(k + 397) % N] ^ (y >>> 1) ^ (y & 1 ? 0x9908b0df : 0);
      }
      at = 0;
    }
    let y = state[at++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  };
}
// A number from 0 to 1, as `random()` returns it.
const uniform = bits => ((bits() >>> 5) * 67108864 + (bits() >>> 6)) / 9007199254740992;

// The numbers with weights as `MLP(seed=…)` draws them, neuron by neuron; biases are 0.
function newWeights(units, numbers, seed) {
  const bits = twister([seed]), found = numbers.slice();
  for (const { weights, bias, gain } of units) {
    const limit = Math.sqrt(3 * gain / weights.length);
    for (const place of weights) found[place] = -limit + 2 * limit * uniform(bits);
    found[bias] = 0;
  }
  return found;
}

// The numbers below n in random order, as `sample(range(n), n)` returns them.
function shuffled(bits, n) {
  const pool = count(n);
  return pool.map((_, i) => {
    const left = n - i, unused = Math.clz32(left);
    let j;
    do j = bits() >>> unused; while (j >= left);
    const found = pool[j];
    pool[j] = pool[left - 1];
    return found;
  });
}
// The order of the examples in each epoch, one epoch after the other, as `fit` takes them.
function* orders(key, n) {
  for (const seeds = twister(key);;) {
    const low = seeds(), high = seeds();
    yield shuffled(twister(high ? [low, high] : [low]), n);
  }
}
