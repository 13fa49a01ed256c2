/** One forward step of the schema; it runs whole or not at all. */
export interface Migration {
  /** `NNNN-noun`, the order of the list. */
  readonly name: string;
  /** Statements, run in order inside one transaction. */
  readonly up: readonly string[];
}
