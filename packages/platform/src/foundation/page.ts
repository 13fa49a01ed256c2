/** Which part of a list to give, newest first. */
export interface PageRequest {
  readonly limit: number;
  /** `next` of the page before. */
  readonly after?: string | undefined;
}

/** A part of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Cursor of the next page, `null` at the end. */
  readonly next: string | null;
}
