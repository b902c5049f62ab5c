import { statusLine } from "./status-line.ts";

/** Names as they are to be written. Several values of a name are several lines. */
export type ResponseHeaders = Readonly<Record<string, string | readonly string[]>>;

/** Other bytes would end the line, or are none: one character is one byte. */
// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
const UNSAFE = /[^\t\u0020-\u007e\u0080-\u00ff]/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Names come from the program; each is looked at once. */
const checkedNames = new Set<string>();
const CHECKED_NAMES_MAX = 4096;

/**
 * Status line and header lines, without the empty line at the end. `Connection` is left out: it is the connection's to say. Throws
 * `TypeError` for a name or value that cannot stand in a head: answers hold what clients once sent.
 */
export function responseHead(status: number, headers: ResponseHeaders): string {
  let text = statusLine(status);
  for (const name in headers) {
    const value = headers[name];
    if (value === undefined || name === "Connection") continue;
    checkName(name);
    if (typeof value === "string") text += headerLine(name, value);
    else for (const each of value) text += headerLine(name, each);
  }
  return text;
}

function headerLine(name: string, value: string): string {
  if (UNSAFE.test(value)) throw new TypeError(`The value of the header ${name} cannot be sent`);
  return `${name}: ${value}\r\n`;
}

function checkName(name: string): void {
  if (checkedNames.has(name)) return;
  if (!NAME.test(name)) throw new TypeError("The name of a header cannot be sent");
  if (checkedNames.size < CHECKED_NAMES_MAX) checkedNames.add(name);
}
