export { languageAnswerer } from "./answer-language.ts";
export { defaultTemplate } from "./default-template.ts";
export { createLanguageGateway } from "./language-gateway.ts";
export { createLanguageMetrics } from "./language-metrics.ts";
export { openTemplateSandbox } from "./template-sandbox.ts";
