import { writeSync } from "node:fs";
import type { Log, LogFields } from "@kelp/base";
import { type Logger, pino } from "pino";
import { lineWriter } from "./line-writer.ts";

export type LogLevel = "debug" | "info" | "warn" | "error";
export type LogFormat = "pretty" | "json";

const STANDARD_ERROR = 2;

/** A secret that reaches a log is a secret lost: these names never get out, at the top or one level below. */
const SECRET_FIELDS = ["secret", "secret_key", "password", "token", "authorization", "cookie"];

/**
 * The process's log: pino behind the port. Lines go to standard error, written before the call returns; those that cannot be are lost, and
 * nothing else.
 */
export function openLog(options: {
  readonly level: LogLevel;
  readonly format: LogFormat;
  readonly write?: (line: string) => void;
}): Log {
  const format = options.format === "json" ? (line: string) => line : prettyLine;
  const write =
    options.write ??
    lineWriter(
      (bytes) => writeSync(STANDARD_ERROR, bytes),
      (count) => format(lostLine(count)),
    );
  const logger = pino(
    {
      level: options.level,
      base: null,
      messageKey: "message",
      timestamp: () => `,"time":"${new Date().toISOString()}"`,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: SECRET_FIELDS.flatMap((name) => [name, `*.${name}`]),
        censor: "…",
      },
    },
    { write: (line) => write(format(line)) },
  );
  return wrap(logger);
}

function lostLine(lines: number): string {
  const time = new Date().toISOString();
  const message = "lines of the log could not be written and are lost";
  return `${JSON.stringify({ level: "warn", time, lines, message })}\n`;
}

function wrap(logger: Logger): Log {
  return {
    // Asked first: there is a debug line for every request, and nobody reads most of them.
    debug: (message, fields) => {
      if (logger.isLevelEnabled("debug")) logger.debug(readable(fields), message);
    },
    info: (message, fields) => logger.info(readable(fields), message),
    warn: (message, fields) => logger.warn(readable(fields), message),
    error: (message, fields) => logger.error(readable(fields), message),
    child: (fields) => wrap(logger.child(fields)),
  };
}

/** Errors are no JSON: they become name, message, code and stack, also one inside another. */
function readable(fields: LogFields | undefined): LogFields {
  if (fields === undefined) return {};
  const out: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(fields)) {
    out[name] =
      value instanceof Error
        ? describeError(value)
        : typeof value === "bigint"
          ? `${value}`
          : value;
  }
  return out;
}

function describeError(error: Error): LogFields {
  const code = "code" in error ? error.code : undefined;
  return {
    name: error.name,
    message: error.message,
    ...(code === undefined ? {} : { code }),
    ...(error.cause instanceof Error ? { cause: describeError(error.cause) } : {}),
    stack: error.stack,
  };
}

/** `10:52:01.123 info  S3 door is open port=8333`. A line that is no JSON is passed as it is. */
export function prettyLine(line: string): string {
  const fields = parseLine(line);
  if (fields === undefined) return line;
  const { time, level, message, ...others } = fields;
  const clock = String(time).slice(11, 23);
  const stacks: string[] = [];
  const rest = Object.entries(others).map(([name, value]) => {
    if (isRecord(value) && typeof value["stack"] === "string") {
      const { stack, ...inner } = value;
      stacks.push(stack.replaceAll(/^/gm, "    "));
      return `${name}=${show(inner["message"])}`;
    }
    return `${name}=${show(value)}`;
  });
  const head = [clock, String(level).padEnd(5), String(message), ...rest].join(" ");
  return `${[head, ...stacks].join("\n")}\n`;
}

function show(value: unknown): string {
  const text = typeof value === "string" ? value : JSON.stringify(value);
  return /[\s"=]/.test(text) ? JSON.stringify(text) : text;
}

function parseLine(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return isRecord(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
