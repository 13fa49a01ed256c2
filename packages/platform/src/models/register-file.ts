import { Readable } from "node:stream";
import type { ArtefactManifest, LanguageModel, RegisterModel } from "@modelyard/contracts";
import { describeLanguageModel, readGgufHeader } from "@modelyard/learn";
import { canonicalJson, type Clock, codeVersion, PlatformError, type UploadedFile } from "../foundation/index.ts";
import type { BlobStore } from "../storage/blob-store.ts";
import { importModel } from "./import-model.ts";
import type { ModelStore } from "./model-store.ts";
import type { StoredModelVersion } from "./model-version.ts";
import { registerVersion } from "./register-version.ts";

/** What registering a file needs. */
export interface RegisterFileDependencies {
  readonly models: ModelStore;
  readonly blobs: BlobStore;
  readonly clock: Clock;
}

/** A file that should become a version. */
export interface FileToRegister {
  readonly workspaceId: string;
  readonly model: string;
  readonly options: RegisterModel;
  readonly files: AsyncIterable<UploadedFile>;
}

const firstHeaderTryBytes = 64 * 1024;

/** The checked header of a GGUF file that passes by. Throws before its end when the file is none: then nothing is stored. */
class PassingGguf {
  #parts: Uint8Array[] = [];
  #held = 0;
  #tryAt = firstHeaderTryBytes;
  #complete = false;
  facts: LanguageModel | null = null;

  async *pass(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let bytes = 0;
    for await (const chunk of chunks) {
      bytes += chunk.byteLength;
      this.#keep(chunk);
      yield chunk;
    }
    // Only now is the size known that every tensor must fit into.
    const header = readGgufHeader(this.#prefix(), bytes);
    if (header !== null) this.facts = { ...describeLanguageModel(header) };
  }

  #keep(chunk: Uint8Array): void {
    if (this.#complete) return;
    this.#parts.push(chunk);
    this.#held += chunk.byteLength;
    if (this.#held < this.#tryAt) return;
    this.#tryAt *= 2;
    this.#complete = readGgufHeader(this.#prefix(), Number.MAX_SAFE_INTEGER) !== null;
  }

  #prefix(): Uint8Array {
    const whole = Buffer.concat(this.#parts, this.#held);
    this.#parts = [whole];
    return whole;
  }
}

const oneFile = (): PlatformError =>
  new PlatformError("invalid-input", "Send exactly one model file. Register several files as several versions.");

const manifestOf = (
  graph: ArtefactManifest["graph"],
  importedFrom: string,
  languageModel: LanguageModel,
): ArtefactManifest => ({
  format: 1,
  definition: null,
  signature: null,
  preprocessing: [],
  labels: null,
  graph,
  weights: null,
  evaluation: null,
  lineage: { importedFrom, producer: languageModel.name ?? "", operators: [], codeVersion },
  environment: { node: process.version, onnxruntime: "", platform: `${process.platform}-${process.arch}`, opset: 0 },
  languageModel,
});

/** The header is checked while the file streams by: before it is stored, and long before native code sees it. */
const registerLanguageModel = async (
  { models, blobs, clock }: RegisterFileDependencies,
  { workspaceId, model, options, files }: FileToRegister,
): Promise<StoredModelVersion> => {
  const passing = new PassingGguf();
  let graph: ArtefactManifest["graph"] | null = null;
  let name = "";
  for await (const file of files) {
    if (graph !== null) throw oneFile();
    name = file.name.slice(-200);
    graph = await blobs.put(passing.pass(file.stream as AsyncIterable<Uint8Array>));
  }
  if (graph === null || passing.facts === null) throw oneFile();
  const chatTemplate = options.chatTemplate ?? passing.facts.chatTemplate;
  const artefact = manifestOf({ digest: graph.digest, bytes: graph.bytes }, name, { ...passing.facts, chatTemplate });
  const { digest, bytes } = await blobs.put(new TextEncoder().encode(canonicalJson(artefact)));
  return registerVersion({ models, clock }, { workspaceId, model, digest, bytes: bytes + graph.bytes, artefact });
};

const magic = Buffer.from("GGUF");

/** The files once more, with the first one's beginning looked at. */
const peek = async (
  files: AsyncIterable<UploadedFile>,
): Promise<{ readonly isGguf: boolean; readonly files: AsyncIterable<UploadedFile> }> => {
  const rest = files[Symbol.asyncIterator]();
  const first = await rest.next();
  if (first.done === true) throw oneFile();
  const { name, stream } = first.value;
  const chunks = (stream as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  let head = Buffer.alloc(0);
  let next = await chunks.next();
  while (next.done !== true) {
    head = Buffer.concat([head, next.value]);
    if (head.length >= magic.length) break;
    next = await chunks.next();
  }
  async function* whole(): AsyncGenerator<Buffer> {
    yield head;
    for (let chunk = await chunks.next(); chunk.done !== true; chunk = await chunks.next()) yield chunk.value;
  }
  async function* again(): AsyncGenerator<UploadedFile> {
    yield { name, stream: Readable.from(whole(), { objectMode: false }) };
    for (let file = await rest.next(); file.done !== true; file = await rest.next()) yield file.value;
  }
  return { isGguf: head.subarray(0, magic.length).equals(magic), files: again() };
};

/**
 * Makes an uploaded file the next version of a model: a GGUF language model, told by its first bytes, or an ONNX graph.
 * @throws PlatformError `invalid-input`, `onnx-invalid`, `payload-too-large`, `disk-full`; LearnError `gguf-invalid`.
 */
export const registerFile = async (
  dependencies: RegisterFileDependencies,
  given: FileToRegister,
): Promise<StoredModelVersion> => {
  const { isGguf, files } = await peek(given.files);
  const register = isGguf ? registerLanguageModel : importModel;
  return register(dependencies, { ...given, files });
};
