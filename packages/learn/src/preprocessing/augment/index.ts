export type { Augmentation } from "./augmentation.ts";
export { randomBrightness, randomContrast } from "./colour.ts";
export { randomCrop, randomFlip, randomRotation, randomTranslation, randomZoom } from "./geometry.ts";
export { type BatchAugmentation, mixUp } from "./mix-up.ts";
export { specAugment } from "./spec-augment.ts";
