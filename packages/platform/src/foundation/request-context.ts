import { AsyncLocalStorage } from "node:async_hooks";

/** On whose behalf the code that runs now works; followed through every `await`. */
export interface RequestContext {
  readonly operation: string;
  readonly requestId: string;
  /** The key that asks. */
  readonly actor: { readonly key: string; readonly name: string } | null;
}

const storage = new AsyncLocalStorage<RequestContext>();

/** Runs work on behalf of a request. */
export const runInRequest = <T>(context: RequestContext, work: () => T): T => storage.run(context, work);

/** The request that the running code works for; undefined for what the platform does by itself. */
export const currentRequest = (): RequestContext | undefined => storage.getStore();
