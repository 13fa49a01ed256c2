import { z } from "zod";

/** A name that users give: lower case, digits, `.`, `_`, `-`; 1–63 characters, starts and ends with a letter or digit. */
export const Name = z
  .string()
  .regex(
    /^[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?$/,
    "use 1–63 lower-case letters, digits, '.', '_' or '-', starting and ending with a letter or digit",
  )
  .refine((name) => !name.includes(".."), "must not hold '..'");

/** `sha256:` and 64 hexadecimal digits. */
export const Digest = z.string().regex(/^sha256:[0-9a-f]{64}$/);

/** Version number of a dataset or model, from 1. */
export const VersionNumber = z.int().min(1).max(1_000_000_000);

/** `name@version`: one version of a dataset, e.g. `fashion@1`. */
export const DatasetReference = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]{0,62}@[1-9][0-9]{0,8}$/, "write name@version, e.g. fashion@1");

/** `name@alias` or `name@version`: one version of a model, e.g. `fashion@champion`. */
export const ModelReference = z
  .string()
  .regex(
    /^[a-z0-9][a-z0-9._-]{0,62}@[a-z0-9][a-z0-9._-]{0,62}$/,
    "write name@alias or name@version, e.g. fashion@champion",
  );

/** A moment as ISO 8601 in UTC. */
export const Timestamp = z.iso.datetime();

/** Server-made identifier: a prefix and 26 lower-case base-32 characters. */
export const identifier = (prefix: string): z.ZodString =>
  z.string().regex(new RegExp(`^${prefix}_[0-9a-z]{26}$`), `a server-made id that starts with ${prefix}_`);

/** Paging of every list: newest first. */
export const PageQuery = z.object({
  limit: z.coerce.number().int().min(1).max(500).default(50),
  /** Cursor of the page before: its `next`. */
  after: z.string().max(200).optional(),
});

/** A page of things and the cursor of the next page. */
export const pageOf = <S extends z.ZodType>(item: S) => z.object({ items: z.array(item), next: z.string().nullable() });

/** No fields. */
export const Nothing = z.object({});
