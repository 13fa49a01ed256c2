import { type Callback, earlyStopping, LearnError, reduceLrOnPlateau } from "@modelyard/learn";

type Options = Record<string, unknown>;

/** Callbacks that a run may ask for, by their Keras names; arguments in snake or camel case. */
const makers: Readonly<Record<string, (options: Options) => Callback>> = {
  early_stopping: (options) => earlyStopping(options),
  reduce_lr_on_plateau: (options) => reduceLrOnPlateau(options),
};

const camel = (name: string): string => name.replaceAll(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());

/**
 * Makes the callbacks that a run's request names.
 * @throws LearnError `definition-invalid` for an unknown name, with the names there are.
 */
export const makeCallbacks = (requested: readonly { readonly name: string }[]): Callback[] =>
  requested.map(({ name, ...options }) => {
    const maker = Object.hasOwn(makers, name) ? makers[name] : undefined;
    if (maker === undefined) {
      const known = Object.keys(makers).join(", ");
      throw new LearnError("definition-invalid", `The callback "${name}" is not known. Known are: ${known}.`);
    }
    return maker(Object.fromEntries(Object.entries(options).map(([key, value]) => [camel(key), value])));
  });
