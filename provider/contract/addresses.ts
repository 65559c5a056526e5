import { isIPv4, isIPv6 } from "node:net";

/** Why this is no `host`, `host:port`, `[ipv6]` or `[ipv6]:port`; undefined when it is one. */
export function hostProblem(spelled: string): string | undefined {
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/.exec(spelled);
  if (bracketed) return isIPv6(bracketed[1] ?? "") ? portProblem(bracketed[2]) : "must hold an IPv6 address between [ and ]";
  if (isIPv6(spelled)) return undefined;
  if (/^[a-z]+:\/\//i.test(spelled)) return 'must be "host:port" without a scheme, such as db.example.com:5432';
  const [host = "", port, ...rest] = spelled.split(":");
  if (rest.length > 0) return 'must be "host:port"; an IPv6 address with a port is written [2001:db8::1]:5432';
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) return "is not an IPv4 address: four numbers from 0 to 255";
  // Underscores are no part of a host name by RFC 1123, and yet common in container networks.
  const name = /^(?=.{1,253}$)[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?(\.[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?)*\.?$/i;
  return name.test(host) ? portProblem(port) : 'must be "host:port", such as db.example.com:5432';
}

/** Why this is no address range; undefined when it is one. */
export function cidrProblem(spelled: string): string | undefined {
  const [address = "", bits, ...rest] = spelled.split("/");
  const width = isIPv4(address) ? 32 : isIPv6(address) && !address.includes("%") ? 128 : undefined;
  if (width === undefined || rest.length > 0) return "must be an address range such as 10.1.0.0/16 or 2001:db8::/32";
  if (bits !== undefined && !(/^\d{1,3}$/.test(bits) && Number(bits) <= width))
    return `must end in a number of bits from /0 to /${width}`;
  return undefined;
}

/** Whether the range is every address there is. */
export function isAnyAddress(cidr: string): boolean {
  return /\/0+$/.test(cidr);
}

function portProblem(port: string | undefined): string | undefined {
  if (port === undefined) return undefined;
  return /^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65535
    ? undefined
    : "must have a port from 1 to 65535 after the colon";
}
