/* The demo's training step by hand: MLP LAYERS 2-16-16-1, relu, mean hinge loss, L2 penalty.
 *
 * Parameters are flat, neuron by neuron, its weights and then its bias. The plain version takes one
 * example after the other. The other takes LANES examples at once, one in each lane of a vector;
 * a batch is padded to whole vectors with examples whose loss has weight 0.
 */
#include <string.h>

enum { IN = 2, HIDDEN = 16, W1 = 0, W2 = HIDDEN * (IN + 1), W3 = W2 + HIDDEN * (HIDDEN + 1),
       PARAMETERS = W3 + HIDDEN + 1 };

static void decay(const double *w, double penalty, double *g) {
    for (int i = 0; i < PARAMETERS; i++) g[i] += 2.0 * penalty * w[i];
}

static void update(double *w, const double *g, double rate) {
    for (int i = 0; i < PARAMETERS; i++) w[i] -= rate * g[i];
}

void plain_gradient(const double *w, const double *X, const double *Y, int n, double penalty,
                    double *g) {
    memset(g, 0, PARAMETERS * sizeof *g);
    for (int e = 0; e < n; e++) {
        const double *x = X + e * IN;
        double a1[HIDDEN], a2[HIDDEN], d1[HIDDEN] = {0}, d2[HIDDEN];
        for (int j = 0; j < HIDDEN; j++) {
            const double *row = w + W1 + j * (IN + 1);
            double z = row[IN];
            for (int i = 0; i < IN; i++) z += row[i] * x[i];
            a1[j] = z > 0.0 ? z : 0.0;
        }
        for (int j = 0; j < HIDDEN; j++) {
            const double *row = w + W2 + j * (HIDDEN + 1);
            double z = row[HIDDEN];
            for (int i = 0; i < HIDDEN; i++) z += row[i] * a1[i];
            a2[j] = z > 0.0 ? z : 0.0;
        }
        double score = w[W3 + HIDDEN];
        for (int j = 0; j < HIDDEN; j++) score += w[W3 + j] * a2[j];

        if (1.0 - Y[e] * score <= 0.0) continue;
        double d3 = -Y[e] / n;
        g[W3 + HIDDEN] += d3;
        for (int j = 0; j < HIDDEN; j++) {
            g[W3 + j] += d3 * a2[j];
            d2[j] = a2[j] > 0.0 ? d3 * w[W3 + j] : 0.0;
        }
        for (int j = 0; j < HIDDEN; j++) {
            const double *row = w + W2 + j * (HIDDEN + 1);
            double *slope = g + W2 + j * (HIDDEN + 1);
            for (int i = 0; i < HIDDEN; i++) {
                slope[i] += d2[j] * a1[i];
                d1[i] += d2[j] * row[i];
            }
            slope[HIDDEN] += d2[j];
        }
        for (int j = 0; j < HIDDEN; j++) {
            double *slope = g + W1 + j * (IN + 1), d = a1[j] > 0.0 ? d1[j] : 0.0;
            for (int i = 0; i < IN; i++) slope[i] += d * x[i];
            slope[IN] += d;
        }
    }
    decay(w, penalty, g);
}

void plain_steps(double *w, const double *X, const double *Y, int n, double penalty, double rate,
                 long count) {
    double g[PARAMETERS];
    while (count--) {
        plain_gradient(w, X, Y, n, penalty, g);
        update(w, g, rate);
    }
}

#ifdef __AVX512F__
enum { LANES = 8 };
#else
enum { LANES = 4 };
#endif
typedef double vec __attribute__((vector_size(LANES * sizeof(double))));
typedef long mask __attribute__((vector_size(LANES * sizeof(double))));
static const vec ZERO = {0};

int lanes(void) { return LANES; }

static inline vec where(mask m, vec x) { return (vec)((mask)x & m); }

static inline double sum(vec x) {
    double s[4];
    for (int k = 0; k < 4; k++) s[k] = LANES == 8 ? x[k] + x[k + LANES - 4] : x[k];
    return (s[0] + s[2]) + (s[1] + s[3]);
}

/* The activations of 16 neurons, four at a time so that they share every load of an input. */
static inline void forward(const double *w, const vec *a, int inputs, vec *out) {
    for (int j = 0; j < HIDDEN; j += 4) {
        const double *row[4];
        vec z[4];
        for (int k = 0; k < 4; k++) {
            row[k] = w + (j + k) * (inputs + 1);
            z[k] = ZERO + row[k][inputs];
        }
        for (int i = 0; i < inputs; i++)
            for (int k = 0; k < 4; k++) z[k] += row[k][i] * a[i];
        for (int k = 0; k < 4; k++) out[j + k] = where(z[k] > ZERO, z[k]);
    }
}

/* The slopes of 16 neurons' weights, summed over all examples: tiles of 8 neurons by 2 inputs stay
 * in registers while the examples go by. `d` and `a` hold a row of 16, or of `inputs`, per vector. */
static inline void slopes(const vec *d, const vec *a, int inputs, int vectors, double *g) {
    for (int j = 0; j < HIDDEN; j += 8) {
        vec bias[8] = {ZERO};
        for (int e = 0; e < vectors; e++)
            for (int k = 0; k < 8; k++) bias[k] += d[e * HIDDEN + j + k];
        for (int k = 0; k < 8; k++) g[(j + k) * (inputs + 1) + inputs] = sum(bias[k]);
        for (int i = 0; i < inputs; i += 2) {
            vec left[8] = {ZERO}, right[8] = {ZERO};
            for (int e = 0; e < vectors; e++)
                for (int k = 0; k < 8; k++) {
                    left[k] += d[e * HIDDEN + j + k] * a[e * inputs + i];
                    right[k] += d[e * HIDDEN + j + k] * a[e * inputs + i + 1];
                }
            for (int k = 0; k < 8; k++) {
                g[(j + k) * (inputs + 1) + i] = sum(left[k]);
                g[(j + k) * (inputs + 1) + i + 1] = sum(right[k]);
            }
        }
    }
}

/* X and Y by vectors: of each vector of examples its first inputs, then its second ones. `scale` is
 * 1/n in the lanes of real examples and 0 in the padding. */
void vector_gradient(const double *w, const vec *X, const vec *Y, const vec *scale, int vectors,
                     double penalty, double *g) {
    vec a1[vectors * HIDDEN], d1[vectors * HIDDEN], d2[vectors * HIDDEN], last[HIDDEN + 1] = {ZERO};
    for (int e = 0; e < vectors; e++) {
        vec a2[HIDDEN], score = ZERO + w[W3 + HIDDEN];
        forward(w + W1, X + e * IN, IN, a1 + e * HIDDEN);
        forward(w + W2, a1 + e * HIDDEN, HIDDEN, a2);
        vec part[4] = {ZERO};
        for (int j = 0; j < HIDDEN; j++) part[j % 4] += w[W3 + j] * a2[j];
        score += (part[0] + part[1]) + (part[2] + part[3]);
        vec d3 = where(1.0 - Y[e] * score > ZERO, -Y[e] * scale[e]);

        last[HIDDEN] += d3;
        for (int j = 0; j < HIDDEN; j++) {
            last[j] += d3 * a2[j];
            d2[e * HIDDEN + j] = where(a2[j] > ZERO, d3 * w[W3 + j]);
        }
        for (int i = 0; i < HIDDEN; i += 8) {
            vec d[8] = {ZERO};
            for (int j = 0; j < HIDDEN; j++)
                for (int k = 0; k < 8; k++)
                    d[k] += d2[e * HIDDEN + j] * w[W2 + j * (HIDDEN + 1) + i + k];
            for (int k = 0; k < 8; k++)
                d1[e * HIDDEN + i + k] = where(a1[e * HIDDEN + i + k] > ZERO, d[k]);
        }
    }
    slopes(d1, X, IN, vectors, g + W1);
    slopes(d2, a1, HIDDEN, vectors, g + W2);
    for (int j = 0; j <= HIDDEN; j++) g[W3 + j] = sum(last[j]);
    decay(w, penalty, g);
}

void vector_steps(double *w, const vec *X, const vec *Y, const vec *scale, int vectors,
                  double penalty, double rate, long count) {
    double g[PARAMETERS];
    while (count--) {
        vector_gradient(w, X, Y, scale, vectors, penalty, g);
        update(w, g, rate);
    }
}
