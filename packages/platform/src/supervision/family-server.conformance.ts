import { fileURLToPath } from "node:url";
import { systemClock } from "../foundation/index.ts";
import { openLocalProcessFamily } from "./local-process-family.ts";
import { joinSupervisor } from "./member-link.ts";
import { serveProcessFamily } from "./serve-process-family.ts";

// Holds a local family in a process of its own and serves it over the channel, as a supervisor does for the control plane.
using link = joinSupervisor();
await using family = openLocalProcessFamily({
  clock: systemClock,
  environment: {},
  onLine: () => {},
  entryFile: () => fileURLToPath(new URL("./member.conformance.ts", import.meta.url)),
});
const { channel } = link;
if (channel === null) throw new Error("start me with a channel");
using served = serveProcessFamily(family, { groups: ["g", "h"], send: (reply) => channel.send(reply) });
channel.onMessage((message) => served.receive(message));
link.ready();
await link.ended;
