const forget = 0.95;
const runsMin = 8;

/**
 * Learns how long a run takes from its rows, as `a + b × rows`: least squares over past runs, each weighing 5 % less
 * than the next, so that it follows a machine that others use too.
 */
export class RunTimeEstimate {
  #runs = 0;
  #weight = 0;
  #rows = 0;
  #rowsSquared = 0;
  #time = 0;
  #product = 0;

  /** Notes a run. */
  observe(rows: number, runMs: number): void {
    this.#runs++;
    this.#weight = this.#weight * forget + 1;
    this.#rows = this.#rows * forget + rows;
    this.#rowsSquared = this.#rowsSquared * forget + rows * rows;
    this.#time = this.#time * forget + runMs;
    this.#product = this.#product * forget + rows * runMs;
  }

  /** Expected milliseconds of a run; `null` before enough were seen. */
  predict(rows: number): number | null {
    if (this.#runs < runsMin) return null;
    const meanRows = this.#rows / this.#weight;
    const meanTime = this.#time / this.#weight;
    const variance = this.#rowsSquared / this.#weight - meanRows * meanRows;
    const slope = variance > 1e-9 ? Math.max((this.#product / this.#weight - meanRows * meanTime) / variance, 0) : 0;
    return Math.max(meanTime + slope * (rows - meanRows), 0);
  }
}
