// Optimizer kernels in AssemblyScript: four weights an instruction, over one memory shared with ONNX Runtime.
// Pointers are byte offsets, multiples of 16; n counts elements. Formulas are those of Keras 3 (keras/src/optimizers).

const LANES: usize = 4;
const STEP: usize = 16;

// @ts-ignore: decorator
@inline
function vectorEnd(n: usize): usize {
  return (n & ~(LANES - 1)) << 2;
}

// @ts-ignore: decorator
@inline
function decayed(w: v128, keep: v128): v128 {
  return f32x4.mul(w, keep);
}

/** w ← w·keep − rate·g, with keep = 1 − rate·weightDecay. */
export function sgd(w: usize, g: usize, n: usize, rate: f32, keep: f32): void {
  const vRate = f32x4.splat(rate);
  const vKeep = f32x4.splat(keep);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    const x = decayed(v128.load(w + i), vKeep);
    v128.store(w + i, f32x4.sub(x, f32x4.mul(vRate, v128.load(g + i))));
  }
  for (let i: usize = end; i < n << 2; i += 4) {
    store<f32>(w + i, load<f32>(w + i) * keep - rate * load<f32>(g + i));
  }
}

/** m ← momentum·m − rate·g; w ← w·keep + m, or + momentum·m − rate·g with Nesterov. */
export function sgdMomentum(
  w: usize,
  g: usize,
  m: usize,
  n: usize,
  rate: f32,
  keep: f32,
  momentum: f32,
  nesterov: bool,
): void {
  const vRate = f32x4.splat(rate);
  const vKeep = f32x4.splat(keep);
  const vMomentum = f32x4.splat(momentum);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    const step = f32x4.mul(vRate, v128.load(g + i));
    const velocity = f32x4.sub(f32x4.mul(vMomentum, v128.load(m + i)), step);
    v128.store(m + i, velocity);
    const change = nesterov ? f32x4.sub(f32x4.mul(vMomentum, velocity), step) : velocity;
    v128.store(w + i, f32x4.add(decayed(v128.load(w + i), vKeep), change));
  }
  for (let i: usize = end; i < n << 2; i += 4) {
    const step = rate * load<f32>(g + i);
    const velocity = momentum * load<f32>(m + i) - step;
    store<f32>(m + i, velocity);
    const change = nesterov ? momentum * velocity - step : velocity;
    store<f32>(w + i, load<f32>(w + i) * keep + change);
  }
}

/** m ← m + (g − m)(1 − β₁); v ← v + (g² − v)(1 − β₂); w ← w·keep − alpha·m / (√v + ε), alpha with bias correction. */
export function adam(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  n: usize,
  alpha: f32,
  keep: f32,
  oneMinusBeta1: f32,
  oneMinusBeta2: f32,
  epsilon: f32,
): void {
  const vAlpha = f32x4.splat(alpha);
  const vKeep = f32x4.splat(keep);
  const vB1 = f32x4.splat(oneMinusBeta1);
  const vB2 = f32x4.splat(oneMinusBeta2);
  const vEpsilon = f32x4.splat(epsilon);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    const grad = v128.load(g + i);
    const m0 = v128.load(m + i);
    const v0 = v128.load(v + i);
    const m1 = f32x4.add(m0, f32x4.mul(f32x4.sub(grad, m0), vB1));
    const v1 = f32x4.add(v0, f32x4.mul(f32x4.sub(f32x4.mul(grad, grad), v0), vB2));
    v128.store(m + i, m1);
    v128.store(v + i, v1);
    const change = f32x4.div(f32x4.mul(m1, vAlpha), f32x4.add(f32x4.sqrt(v1), vEpsilon));
    v128.store(w + i, f32x4.sub(decayed(v128.load(w + i), vKeep), change));
  }
  for (let i: usize = end; i < n << 2; i += 4) {
    const grad = load<f32>(g + i);
    const m0 = load<f32>(m + i);
    const v0 = load<f32>(v + i);
    const m1 = m0 + (grad - m0) * oneMinusBeta1;
    const v1 = v0 + (grad * grad - v0) * oneMinusBeta2;
    store<f32>(m + i, m1);
    store<f32>(v + i, v1);
    store<f32>(w + i, load<f32>(w + i) * keep - (m1 * alpha) / (sqrt<f32>(v1) + epsilon));
  }
}

/** Adam that divides by the largest v seen (AMSGrad). */
export function adamAmsgrad(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  largest: usize,
  n: usize,
  alpha: f32,
  keep: f32,
  oneMinusBeta1: f32,
  oneMinusBeta2: f32,
  epsilon: f32,
): void {
  for (let i: usize = 0; i < n << 2; i += 4) {
    const grad = load<f32>(g + i);
    const m0 = load<f32>(m + i);
    const v0 = load<f32>(v + i);
    const m1 = m0 + (grad - m0) * oneMinusBeta1;
    const v1 = v0 + (grad * grad - v0) * oneMinusBeta2;
    const top = max<f32>(load<f32>(largest + i), v1);
    store<f32>(m + i, m1);
    store<f32>(v + i, v1);
    store<f32>(largest + i, top);
    store<f32>(w + i, load<f32>(w + i) * keep - (m1 * alpha) / (sqrt<f32>(top) + epsilon));
  }
}

/** v ← ρv + (1 − ρ)g²; w ← w·keep − rate·g / √(v + ε). */
export function rmsprop(
  w: usize,
  g: usize,
  v: usize,
  n: usize,
  rate: f32,
  keep: f32,
  rho: f32,
  epsilon: f32,
): void {
  const vRate = f32x4.splat(rate);
  const vKeep = f32x4.splat(keep);
  const vRho = f32x4.splat(rho);
  const vRest = f32x4.splat(1 - rho);
  const vEpsilon = f32x4.splat(epsilon);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    const grad = v128.load(g + i);
    const v1 = f32x4.add(f32x4.mul(vRho, v128.load(v + i)), f32x4.mul(vRest, f32x4.mul(grad, grad)));
    v128.store(v + i, v1);
    const change = f32x4.div(f32x4.mul(vRate, grad), f32x4.sqrt(f32x4.add(v1, vEpsilon)));
    v128.store(w + i, f32x4.sub(decayed(v128.load(w + i), vKeep), change));
  }
  for (let i: usize = end; i < n << 2; i += 4) {
    const grad = load<f32>(g + i);
    const v1 = rho * load<f32>(v + i) + (1 - rho) * (grad * grad);
    store<f32>(v + i, v1);
    store<f32>(w + i, load<f32>(w + i) * keep - (rate * grad) / sqrt<f32>(v1 + epsilon));
  }
}

/** RMSprop with the gradient's running mean taken off (centered) and/or momentum; pointers of 0 switch a part off. */
export function rmspropGeneral(
  w: usize,
  g: usize,
  v: usize,
  mean: usize,
  m: usize,
  n: usize,
  rate: f32,
  keep: f32,
  rho: f32,
  epsilon: f32,
  momentum: f32,
): void {
  for (let i: usize = 0; i < n << 2; i += 4) {
    const grad = load<f32>(g + i);
    const v1 = rho * load<f32>(v + i) + (1 - rho) * (grad * grad);
    store<f32>(v + i, v1);
    let denominator = v1 + epsilon;
    if (mean != 0) {
      const mean1 = rho * load<f32>(mean + i) + (1 - rho) * grad;
      store<f32>(mean + i, mean1);
      denominator -= mean1 * mean1;
    }
    let change = (rate * grad) / sqrt<f32>(denominator);
    if (m != 0) {
      change = momentum * load<f32>(m + i) + change;
      store<f32>(m + i, change);
    }
    store<f32>(w + i, load<f32>(w + i) * keep - change);
  }
}

/** v ← v + g²; w ← w·keep − rate·g / √(v + ε). */
export function adagrad(w: usize, g: usize, v: usize, n: usize, rate: f32, keep: f32, epsilon: f32): void {
  const vRate = f32x4.splat(rate);
  const vKeep = f32x4.splat(keep);
  const vEpsilon = f32x4.splat(epsilon);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    const grad = v128.load(g + i);
    const v1 = f32x4.add(v128.load(v + i), f32x4.mul(grad, grad));
    v128.store(v + i, v1);
    const change = f32x4.div(f32x4.mul(vRate, grad), f32x4.sqrt(f32x4.add(v1, vEpsilon)));
    v128.store(w + i, f32x4.sub(decayed(v128.load(w + i), vKeep), change));
  }
  for (let i: usize = end; i < n << 2; i += 4) {
    const grad = load<f32>(g + i);
    const v1 = load<f32>(v + i) + grad * grad;
    store<f32>(v + i, v1);
    store<f32>(w + i, load<f32>(w + i) * keep - (rate * grad) / sqrt<f32>(v1 + epsilon));
  }
}

/** v ← ρv + (1 − ρ)g²; d ← g·√(u + ε) / √(v + ε); u ← ρu + (1 − ρ)d²; w ← w·keep − rate·d. */
export function adadelta(
  w: usize,
  g: usize,
  v: usize,
  u: usize,
  n: usize,
  rate: f32,
  keep: f32,
  rho: f32,
  epsilon: f32,
): void {
  const vRate = f32x4.splat(rate);
  const vKeep = f32x4.splat(keep);
  const vRho = f32x4.splat(rho);
  const vRest = f32x4.splat(1 - rho);
  const vEpsilon = f32x4.splat(epsilon);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    const grad = v128.load(g + i);
    const u0 = v128.load(u + i);
    const v1 = f32x4.add(f32x4.mul(vRho, v128.load(v + i)), f32x4.mul(vRest, f32x4.mul(grad, grad)));
    const top = f32x4.mul(f32x4.sqrt(f32x4.add(u0, vEpsilon)), grad);
    const change = f32x4.div(top, f32x4.sqrt(f32x4.add(v1, vEpsilon)));
    v128.store(v + i, v1);
    v128.store(u + i, f32x4.add(f32x4.mul(vRho, u0), f32x4.mul(vRest, f32x4.mul(change, change))));
    v128.store(w + i, f32x4.sub(decayed(v128.load(w + i), vKeep), f32x4.mul(vRate, change)));
  }
  for (let i: usize = end; i < n << 2; i += 4) {
    const grad = load<f32>(g + i);
    const u0 = load<f32>(u + i);
    const v1 = rho * load<f32>(v + i) + (1 - rho) * (grad * grad);
    const change = (sqrt<f32>(u0 + epsilon) * grad) / sqrt<f32>(v1 + epsilon);
    store<f32>(v + i, v1);
    store<f32>(u + i, rho * u0 + (1 - rho) * (change * change));
    store<f32>(w + i, load<f32>(w + i) * keep - rate * change);
  }
}

/** m ← m + (g − m)(1 − β₁); u ← max(β₂u, |g|); w ← w·keep − alpha·m / (u + ε), alpha = rate / (1 − β₁ᵗ). */
export function adamax(
  w: usize,
  g: usize,
  m: usize,
  u: usize,
  n: usize,
  alpha: f32,
  keep: f32,
  oneMinusBeta1: f32,
  beta2: f32,
  epsilon: f32,
): void {
  const vAlpha = f32x4.splat(alpha);
  const vKeep = f32x4.splat(keep);
  const vB1 = f32x4.splat(oneMinusBeta1);
  const vBeta2 = f32x4.splat(beta2);
  const vEpsilon = f32x4.splat(epsilon);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    const grad = v128.load(g + i);
    const m0 = v128.load(m + i);
    const m1 = f32x4.add(m0, f32x4.mul(f32x4.sub(grad, m0), vB1));
    const u1 = f32x4.max(f32x4.mul(vBeta2, v128.load(u + i)), f32x4.abs(grad));
    v128.store(m + i, m1);
    v128.store(u + i, u1);
    const change = f32x4.div(f32x4.mul(vAlpha, m1), f32x4.add(u1, vEpsilon));
    v128.store(w + i, f32x4.sub(decayed(v128.load(w + i), vKeep), change));
  }
  for (let i: usize = end; i < n << 2; i += 4) {
    const grad = load<f32>(g + i);
    const m0 = load<f32>(m + i);
    const m1 = m0 + (grad - m0) * oneMinusBeta1;
    const u1 = max<f32>(beta2 * load<f32>(u + i), abs<f32>(grad));
    store<f32>(m + i, m1);
    store<f32>(u + i, u1);
    store<f32>(w + i, load<f32>(w + i) * keep - (alpha * m1) / (u1 + epsilon));
  }
}

/** Adam's m and v; w ← w·keep − rate·(momentWeight·m + gradientWeight·g) / (√(v·vScale) + ε). */
export function nadam(
  w: usize,
  g: usize,
  m: usize,
  v: usize,
  n: usize,
  rate: f32,
  keep: f32,
  oneMinusBeta1: f32,
  oneMinusBeta2: f32,
  epsilon: f32,
  momentWeight: f32,
  gradientWeight: f32,
  vScale: f32,
): void {
  const vRate = f32x4.splat(rate);
  const vKeep = f32x4.splat(keep);
  const vB1 = f32x4.splat(oneMinusBeta1);
  const vB2 = f32x4.splat(oneMinusBeta2);
  const vEpsilon = f32x4.splat(epsilon);
  const vMoment = f32x4.splat(momentWeight);
  const vGradient = f32x4.splat(gradientWeight);
  const vvScale = f32x4.splat(vScale);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    const grad = v128.load(g + i);
    const m0 = v128.load(m + i);
    const v0 = v128.load(v + i);
    const m1 = f32x4.add(m0, f32x4.mul(f32x4.sub(grad, m0), vB1));
    const v1 = f32x4.add(v0, f32x4.mul(f32x4.sub(f32x4.mul(grad, grad), v0), vB2));
    v128.store(m + i, m1);
    v128.store(v + i, v1);
    const ahead = f32x4.add(f32x4.mul(vMoment, m1), f32x4.mul(vGradient, grad));
    const change = f32x4.div(f32x4.mul(vRate, ahead), f32x4.add(f32x4.sqrt(f32x4.mul(v1, vvScale)), vEpsilon));
    v128.store(w + i, f32x4.sub(decayed(v128.load(w + i), vKeep), change));
  }
  for (let i: usize = end; i < n << 2; i += 4) {
    const grad = load<f32>(g + i);
    const m0 = load<f32>(m + i);
    const v0 = load<f32>(v + i);
    const m1 = m0 + (grad - m0) * oneMinusBeta1;
    const v1 = v0 + (grad * grad - v0) * oneMinusBeta2;
    store<f32>(m + i, m1);
    store<f32>(v + i, v1);
    const ahead = momentWeight * m1 + gradientWeight * grad;
    store<f32>(w + i, load<f32>(w + i) * keep - (rate * ahead) / (sqrt<f32>(v1 * vScale) + epsilon));
  }
}

// @ts-ignore: decorator
@inline
function signOf(x: f32): f32 {
  return x > 0 ? 1 : x < 0 ? -1 : 0;
}

/** w ← w·keep − rate·sign(β₁m + (1 − β₁)g); m ← β₂m + (1 − β₂)g. */
export function lion(w: usize, g: usize, m: usize, n: usize, rate: f32, keep: f32, beta1: f32, beta2: f32): void {
  const vRate = f32x4.splat(rate);
  const vKeep = f32x4.splat(keep);
  const vBeta1 = f32x4.splat(beta1);
  const vRest1 = f32x4.splat(1 - beta1);
  const vBeta2 = f32x4.splat(beta2);
  const vRest2 = f32x4.splat(1 - beta2);
  const zero = f32x4.splat(0);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    const grad = v128.load(g + i);
    const m0 = v128.load(m + i);
    const mixed = f32x4.add(f32x4.mul(m0, vBeta1), f32x4.mul(grad, vRest1));
    const up = v128.and(f32x4.gt(mixed, zero), vRate);
    const down = v128.and(f32x4.lt(mixed, zero), vRate);
    v128.store(w + i, f32x4.sub(decayed(v128.load(w + i), vKeep), f32x4.sub(up, down)));
    v128.store(m + i, f32x4.add(f32x4.mul(m0, vBeta2), f32x4.mul(grad, vRest2)));
  }
  for (let i: usize = end; i < n << 2; i += 4) {
    const grad = load<f32>(g + i);
    const m0 = load<f32>(m + i);
    const change = rate * signOf(m0 * beta1 + grad * (1 - beta1));
    store<f32>(w + i, load<f32>(w + i) * keep - change);
    store<f32>(m + i, m0 * beta2 + grad * (1 - beta2));
  }
}

/** a ← a + g. */
export function accumulate(a: usize, g: usize, n: usize): void {
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) v128.store(a + i, f32x4.add(v128.load(g + i), v128.load(a + i)));
  for (let i: usize = end; i < n << 2; i += 4) store<f32>(a + i, load<f32>(g + i) + load<f32>(a + i));
}

/** g ← (g + a) / steps; a ← 0. */
export function takeAccumulated(g: usize, a: usize, n: usize, steps: f32): void {
  const vSteps = f32x4.splat(steps);
  const zero = f32x4.splat(0);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    v128.store(g + i, f32x4.div(f32x4.add(v128.load(g + i), v128.load(a + i)), vSteps));
    v128.store(a + i, zero);
  }
  for (let i: usize = end; i < n << 2; i += 4) {
    store<f32>(g + i, (load<f32>(g + i) + load<f32>(a + i)) / steps);
    store<f32>(a + i, 0);
  }
}

/** a ← momentum·a + (1 − momentum)·w. */
export function average(a: usize, w: usize, n: usize, momentum: f32): void {
  const vMomentum = f32x4.splat(momentum);
  const vRest = f32x4.splat(1 - momentum);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    v128.store(a + i, f32x4.add(f32x4.mul(vMomentum, v128.load(a + i)), f32x4.mul(vRest, v128.load(w + i))));
  }
  for (let i: usize = end; i < n << 2; i += 4) {
    store<f32>(a + i, momentum * load<f32>(a + i) + (1 - momentum) * load<f32>(w + i));
  }
}

/** g ← factor·g. */
export function scale(g: usize, n: usize, factor: f32): void {
  const vFactor = f32x4.splat(factor);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) v128.store(g + i, f32x4.mul(v128.load(g + i), vFactor));
  for (let i: usize = end; i < n << 2; i += 4) store<f32>(g + i, load<f32>(g + i) * factor);
}

/** g ← min(max(g, −limit), limit). */
export function clampValue(g: usize, n: usize, limit: f32): void {
  const high = f32x4.splat(limit);
  const low = f32x4.splat(-limit);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    v128.store(g + i, f32x4.min(f32x4.max(v128.load(g + i), low), high));
  }
  for (let i: usize = end; i < n << 2; i += 4) {
    store<f32>(g + i, min<f32>(max<f32>(load<f32>(g + i), -limit), limit));
  }
}

/** Σ g², summed in 64 bits. */
export function sumOfSquares(g: usize, n: usize): f64 {
  let sums = f64x2.splat(0);
  const end = vectorEnd(n);
  for (let i: usize = 0; i < end; i += STEP) {
    const four = v128.load(g + i);
    const low = f64x2.promote_low_f32x4(four);
    const high = f64x2.promote_low_f32x4(v128.shuffle<u64>(four, four, 1, 1));
    sums = f64x2.add(sums, f64x2.add(f64x2.mul(low, low), f64x2.mul(high, high)));
  }
  let total = f64x2.extract_lane(sums, 0) + f64x2.extract_lane(sums, 1);
  for (let i: usize = end; i < n << 2; i += 4) {
    const value = <f64>load<f32>(g + i);
    total += value * value;
  }
  return total;
}
