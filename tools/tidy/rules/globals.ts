import { importsOf } from "../imports.ts";
import { type Rule, type Violation, eachFile } from "../rule.ts";
import { type SourceFile, isBrowser, isProduct, lineAt } from "../source-file.ts";

/** Something that would tie the code to this machine, with the places where that is meant. */
interface Ban {
  readonly what: string;
  /** Looked for in code without comments and strings, or in the names of imported modules (not of types alone). */
  readonly pattern: RegExp;
  readonly isModule?: true;
  readonly homes: readonly RegExp[];
  readonly instead: string;
}

const PLATFORM = /^packages\/base\/src\/platform\//;
const SERVICES = /^services\//;
/** Steps of pipelines are processes of this machine: this is their adapter, as platform is base's. */
const SUBPROCESS = /^packages\/pipelines\/src\/executor\/subprocess\//;

const BANS: readonly Ban[] = [
  {
    what: "Bun.*",
    pattern: /\bBun\s*\.\s*[A-Za-z]/g,
    homes: [PLATFORM, SERVICES],
    instead: "a port of @kelp/base, made in platform",
  },
  {
    what: "bun:*",
    pattern: /^bun(?::[a-z]+)?$/,
    isModule: true,
    homes: [PLATFORM, SERVICES],
    instead: "a port of @kelp/base, made in platform",
  },
  {
    what: "node:fs",
    pattern: /^node:fs(?:\/promises)?$/,
    isModule: true,
    homes: [PLATFORM, SERVICES, SUBPROCESS],
    instead: "the Disk port of @kelp/base",
  },
  {
    what: "node:child_process",
    pattern: /^node:child_process$/,
    isModule: true,
    homes: [PLATFORM, SERVICES, SUBPROCESS],
    instead: "a port that services/ hand in",
  },
  {
    what: "node:http",
    pattern: /^node:(?:http|https|http2|net|tls|cluster)$/,
    isModule: true,
    homes: [PLATFORM],
    instead: "HttpDoor or FetchDoor of @kelp/base/http, on the TcpNetwork port",
  },
  {
    what: "Date.now()",
    pattern: /\bDate\s*\.\s*now\b|\bperformance\s*\.\s*now\b/g,
    homes: [PLATFORM, SERVICES],
    instead: "the Clock port: clock.nowMs() or clock.monotonicMs()",
  },
  {
    what: "new Date()",
    pattern: /\bnew\s+Date\s*\(\s*\)|(?<!new\s+)(?<![.\w])Date\s*\(\s*\)/g,
    homes: [PLATFORM, SERVICES],
    instead: "new Date(clock.nowMs())",
  },
  {
    what: "randomness",
    pattern:
      /\bMath\s*\.\s*random\b|\bcrypto\s*\.\s*(?:randomUUID|getRandomValues)\b|\brandomBytes\s*\(|\brandomUUID\s*\(/g,
    homes: [PLATFORM, SERVICES],
    instead: "the Random port",
  },
  {
    what: "timers",
    pattern: /(?<![.\w])set(?:Timeout|Interval)\s*\(/g,
    homes: [PLATFORM, SERVICES],
    instead: "the Clock port: clock.schedule() or clock.sleep()",
  },
  {
    what: "the process",
    pattern: /\bprocess\s*\.\s*(?:env|exit|exitCode|argv|cwd|kill|on|once)\b/g,
    homes: [SERVICES, PLATFORM, SUBPROCESS],
    instead: "a parameter that services/ fill",
  },
  {
    what: "console.*",
    pattern: /(?<![.\w])console\s*\.\s*(?:log|info|warn|error|debug|trace)\b/g,
    homes: [],
    instead: "the Log port, or the command's own output",
  },
];

/** Clock, randomness, disk, sockets and the process come in as parameters. */
export const globalsRule: Rule = {
  name: "globals",
  check: (files) =>
    eachFile(
      files.filter((file) => isProduct(file) && !isBrowser(file)),
      checkFile,
    ),
};

function checkFile(file: SourceFile): Violation[] {
  const bans = BANS.filter((ban) => !ban.homes.some((home) => home.test(file.path)));
  return bans.flatMap((ban) =>
    linesOf(file, ban).map((line) => ({
      path: file.path,
      line,
      message: `${ban.what} is not for here: use ${ban.instead}`,
    })),
  );
}

function linesOf(file: SourceFile, ban: Ban): number[] {
  if (ban.isModule === true) {
    return importsOf(file)
      .filter((found) => !found.isTypeOnly && ban.pattern.test(found.specifier))
      .map((found) => found.line);
  }
  return [...file.bare.matchAll(ban.pattern)].map((match) => lineAt(file, match.index));
}
