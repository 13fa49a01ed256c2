import { joinSupervisor } from "./member-link.ts";

// A member for the conformance suite: what it does is said by its environment.
const link = joinSupervisor();
const mode = process.env["MEMBER_MODE"] ?? "serve";
const keepAlive = setInterval(() => {}, 60_000);

if (mode === "crash") {
  process.stderr.write("out of luck\n");
  process.exitCode = 7;
  process.exit();
}
if (mode === "finish") {
  link.ready();
  process.exit(3);
}
process.stdout.write(`says ${process.env["MEMBER_SAYS"] ?? "nothing"}\n`);
link.ready({ pid: String(process.pid), says: process.env["MEMBER_SAYS"] ?? "" });
if (mode !== "stubborn") {
  void link.ended.then(() => clearInterval(keepAlive)).then(() => process.exit(0));
}
