import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { PlatformError } from "../foundation/index.ts";

/** Throws when a request was not meant for this server, or comes from another site's page. */
export type HostGuard = (headers: IncomingHttpHeaders) => void;

const rememberedMax = 100;

const hostnameOf = (authority: string): string | null => {
  // One parser for the check and for what follows: what URL does not take whole is no authority.
  const url = URL.parse(`http://${authority}/`);
  if (url === null || url.username !== "" || url.password !== "" || url.pathname !== "/" || url.search !== "")
    return null;
  return url.hostname.replace(/^\[|\]$/g, "").replace(/\.$/, "");
};

/**
 * Makes the guard against DNS rebinding and foreign pages. Addresses and `localhost` are taken, for no attacker's name
 * can stand in their place; other names only when they are listed. A page of another origin is refused whatever it
 * asks: no CORS header is ever sent.
 * @param names Host names under which the server may be reached.
 */
export const createHostGuard = (names: readonly string[]): HostGuard => {
  const allowed = new Set(["localhost", ...names.map((name) => name.toLowerCase())]);
  const remembered = new Set<string>();
  const known = (authority: string): boolean => {
    if (remembered.has(authority)) return true;
    const hostname = hostnameOf(authority);
    if (hostname === null || (isIP(hostname) === 0 && !allowed.has(hostname))) return false;
    if (remembered.size >= rememberedMax) remembered.clear();
    remembered.add(authority);
    return true;
  };
  return ({ host, origin }) => {
    if (host === undefined || !known(host)) {
      throw new PlatformError(
        "host-not-allowed",
        "The request names a host that this server does not answer for. Use its address, or list the name in allowedHosts.",
      );
    }
    if (origin === undefined) return;
    if (URL.parse(origin)?.host !== host.toLowerCase()) {
      throw new PlatformError(
        "host-not-allowed",
        "The request comes from a page of another site. Send it from a program, or from a page of this server.",
      );
    }
  };
};
