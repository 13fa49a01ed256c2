export { type Clock, systemClock, timestamp } from "./clock.ts";
export { canonicalJson, digestOf, type DigestText, isDigest } from "./digest.ts";
export { createEventBus, type EventBus } from "./event-bus.ts";
export type { BytesResult, Handler, HandlerRequest, HandlerResult, Routes, UploadedFile } from "./handler.ts";
export { type IdentifierPrefix, newIdentifier } from "./identifiers.ts";
export { type Logger, silentLogger } from "./logger.ts";
export type { Page, PageRequest } from "./page.ts";
export { notFound, PlatformError, type PlatformErrorOptions } from "./platform-error.ts";
export type { Principal } from "./principal.ts";
