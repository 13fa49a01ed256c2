import type { ColumnProfile } from "@modelyard/contracts";

/** Collects statistics of one column while it is read. */
export interface ColumnStatistics {
  /** What was found; statistics are those of the population (no correction for the sample size). */
  profile(name: string): ColumnProfile;
}

const nothing = (name: string, count: number, missing: number): ColumnProfile => ({
  name,
  count,
  missing,
  mean: null,
  standardDeviation: null,
  minimum: null,
  maximum: null,
  quantiles: null,
  categoryCounts: null,
});

/** Null where the values are so large that the figure overflows. */
const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

/** Value at a share of the sorted values, interpolated linearly (the default of NumPy). */
const quantile = (sorted: Float64Array, share: number): number => {
  const position = (sorted.length - 1) * share;
  const below = sorted[Math.floor(position)] ?? 0;
  const above = sorted[Math.ceil(position)] ?? below;
  const weight = position - Math.floor(position);
  // Weighted apart, because the difference of two large values can overflow.
  return weight === 0 ? below : below * (1 - weight) + above * weight;
};

/** Pixels and other bytes: a histogram, from which everything follows exactly. */
export class ByteStatistics implements ColumnStatistics {
  readonly #counts = new Float64Array(256);
  #rows = 0;

  /** Adds the bytes of rows. */
  add(bytes: Uint8Array, rows: number): void {
    const counts = this.#counts;
    for (let i = 0; i < bytes.length; i++) counts[bytes[i] as number] = (counts[bytes[i] as number] as number) + 1;
    this.#rows += rows;
  }

  /** Adds what another part of the column found. */
  merge(other: ByteStatistics): void {
    other.#counts.forEach((count, value) => {
      this.#counts[value] = (this.#counts[value] ?? 0) + count;
    });
    this.#rows += other.#rows;
  }

  profile(name: string): ColumnProfile {
    const total = this.#counts.reduce((sum, count) => sum + count, 0);
    if (total === 0) return nothing(name, this.#rows, 0);
    const mean = this.#counts.reduce((sum, count, value) => sum + count * value, 0) / total;
    const variance = this.#counts.reduce((sum, count, value) => sum + count * (value - mean) ** 2, 0) / total;
    return {
      ...nothing(name, this.#rows, 0),
      mean,
      standardDeviation: Math.sqrt(variance),
      minimum: this.#counts.findIndex((count) => count > 0),
      maximum: this.#counts.findLastIndex((count) => count > 0),
      quantiles: { p25: this.#at(total, 0.25), p50: this.#at(total, 0.5), p75: this.#at(total, 0.75) },
    };
  }

  #at(total: number, share: number): number {
    const position = (total - 1) * share;
    const below = this.#ranked(Math.floor(position));
    return below + (this.#ranked(Math.ceil(position)) - below) * (position - Math.floor(position));
  }

  #ranked(rank: number): number {
    let seen = 0;
    return this.#counts.findIndex((count) => (seen += count) > rank);
  }
}

/** Most values kept for quantiles; beyond it every second, fourth, … value is kept. */
const keptLimit = 100_000;

/** Numbers: mean and variance by Welford's recurrence, quantiles from an even thinning of the values. */
export class NumberStatistics implements ColumnStatistics {
  #rows = 0;
  #missing = 0;
  #count = 0;
  #mean = 0;
  #squares = 0;
  #minimum = Number.POSITIVE_INFINITY;
  #maximum = Number.NEGATIVE_INFINITY;
  #kept: number[] = [];
  #stride = 1;

  /** Adds a value; NaN counts as missing. */
  add(value: number): void {
    if (Number.isNaN(value)) {
      this.#missing++;
      return;
    }
    if (!Number.isFinite(value)) return;
    this.#count++;
    const delta = value - this.#mean;
    this.#mean += delta / this.#count;
    this.#squares += delta * (value - this.#mean);
    if (value < this.#minimum) this.#minimum = value;
    if (value > this.#maximum) this.#maximum = value;
    if (this.#count % this.#stride === 0) this.#keep(value);
  }

  /** Counts rows; a row of a tensor holds many values. */
  addRows(rows: number): void {
    this.#rows += rows;
  }

  /** Adds what another part of the column found. */
  merge(other: NumberStatistics): void {
    const count = this.#count + other.#count;
    if (other.#count > 0) {
      const delta = other.#mean - this.#mean;
      this.#squares += other.#squares + (delta * delta * this.#count * other.#count) / count;
      this.#mean += (delta * other.#count) / count;
      this.#minimum = Math.min(this.#minimum, other.#minimum);
      this.#maximum = Math.max(this.#maximum, other.#maximum);
    }
    this.#count = count;
    this.#rows += other.#rows;
    this.#missing += other.#missing;
    for (const value of other.#kept) this.#keep(value);
  }

  profile(name: string): ColumnProfile {
    if (this.#count === 0) return nothing(name, this.#rows, this.#missing);
    const sorted = Float64Array.from(this.#kept).sort();
    return {
      ...nothing(name, this.#rows, this.#missing),
      mean: finite(this.#mean),
      standardDeviation: finite(Math.sqrt(this.#squares / this.#count)),
      minimum: this.#minimum,
      maximum: this.#maximum,
      quantiles: { p25: quantile(sorted, 0.25), p50: quantile(sorted, 0.5), p75: quantile(sorted, 0.75) },
    };
  }

  #keep(value: number): void {
    this.#kept.push(value);
    if (this.#kept.length < keptLimit) return;
    this.#kept = this.#kept.filter((_, index) => index % 2 === 1);
    this.#stride *= 2;
  }
}

/** Categories: rows per category. */
export class CategoryStatistics implements ColumnStatistics {
  readonly #categories: readonly string[];
  readonly #counts: Float64Array;
  #missing = 0;

  constructor(categories: readonly string[]) {
    this.#categories = categories;
    this.#counts = new Float64Array(categories.length);
  }

  /** Adds a row; -1 counts as missing. */
  add(index: number): void {
    if (index < 0) this.#missing++;
    else this.#counts[index] = (this.#counts[index] ?? 0) + 1;
  }

  profile(name: string): ColumnProfile {
    const count = this.#counts.reduce((sum, rows) => sum + rows, this.#missing);
    return {
      ...nothing(name, count, this.#missing),
      categoryCounts: this.#categories.map((category, index) => ({ category, count: this.#counts[index] ?? 0 })),
    };
  }
}

/** Texts: how many, and how many are empty. */
export class TextStatistics implements ColumnStatistics {
  #count = 0;
  #missing = 0;

  /** Adds a row; an empty text counts as missing. */
  add(text: string): void {
    this.#count++;
    if (text === "") this.#missing++;
  }

  profile(name: string): ColumnProfile {
    return nothing(name, this.#count, this.#missing);
  }
}
