import type { Command } from "commander";
import { UsageError } from "../failure.ts";
import type { Terminal } from "../terminal.ts";

const shells = ["bash", "zsh", "fish"] as const;

interface Entry {
  /** Words before, joined by spaces. */
  readonly before: string;
  readonly words: readonly string[];
}

/** What may follow each command, from the program itself. */
const entriesOf = (command: Command, before: readonly string[]): Entry[] => {
  const words = [
    ...command.commands.map((sub) => sub.name()),
    ...command.options.flatMap(({ long }) => (typeof long === "string" ? [long] : [])),
  ];
  return [
    { before: before.join(" "), words },
    ...command.commands.flatMap((sub) => entriesOf(sub, [...before, sub.name()])),
  ];
};

const bash = (entries: readonly Entry[]): string => {
  const cases = entries.map(({ before, words }) => `    "${before}") words="${words.join(" ")}" ;;`).join("\n");
  return `_modelyard() {
  local current="\${COMP_WORDS[COMP_CWORD]}" path="" words="" word
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$word" in -*) ;; *) [[ $(wc -w <<< "$path") -lt 2 ]] && path="\${path:+$path }$word" ;; esac
  done
  case "$path" in
${cases}
  esac
  COMPREPLY=($(compgen -W "$words" -- "$current"))
  [[ \${#COMPREPLY[@]} -eq 0 ]] && COMPREPLY=($(compgen -f -- "$current"))
}
complete -F _modelyard modelyard
`;
};

const fish = (entries: readonly Entry[]): string =>
  entries
    .flatMap(({ before, words }) => {
      const condition =
        before === ""
          ? "__fish_use_subcommand"
          : before
              .split(" ")
              .map((word) => `__fish_seen_subcommand_from ${word}`)
              .join("; and ");
      return words.map((word) =>
        word.startsWith("--")
          ? `complete -c modelyard -n '${condition}' -l ${word.slice(2)}`
          : `complete -c modelyard -n '${condition}' -a ${word}`,
      );
    })
    .join("\n")
    .concat("\n");

/** Adds `completion`. */
export const addCompletionCommand = (program: Command, terminal: Terminal): void => {
  program
    .command("completion <shell>")
    .description(`print a completion script (${shells.join(", ")}), e.g. source <(modelyard completion bash)`)
    .action((shell: string) => {
      const entries = entriesOf(program, []);
      if (shell === "fish") terminal.out(fish(entries));
      else if (shell === "bash") terminal.out(bash(entries));
      else if (shell === "zsh") terminal.out(`autoload -U +X bashcompinit && bashcompinit\n${bash(entries)}`);
      else throw new UsageError("usage", `There is no completion for "${shell}". Known are: ${shells.join(", ")}.`);
    });
};
