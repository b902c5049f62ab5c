import type { AccessRequest, Decision, Statement } from "@kelp/wire";
import { classicStatement } from "./classic-actions.ts";
import { IamError } from "./errors.ts";
import { PATTERNS_PER_STATEMENT_MAX, PATTERN_LENGTH_MAX } from "./limits.ts";
import {
  type Pattern,
  compilePattern,
  coversPrefix,
  matchesPattern,
  touchesPrefix,
} from "./pattern.ts";

/** Statements made ready for questions. */
export interface Permissions {
  readonly denies: readonly Rule[];
  readonly allows: readonly Rule[];
}

interface Rule {
  /** Lower case: action names are the same in any letter case, resources are not. */
  readonly actions: readonly Pattern[];
  readonly resources: readonly Pattern[];
}

export const NO_PERMISSIONS: Permissions = { denies: [], allows: [] };

const ALLOW: Decision = { kind: "allow" };
const DENY_EXPLICIT: Decision = { kind: "deny", reason: "explicit" };
const DENY_IMPLICIT: Decision = { kind: "deny", reason: "implicit" };

/** Throws `IamError` `unknown-action` or `invalid-statement` for anything that the evaluator would not understand. */
export function compilePermissions(
  actions: readonly string[],
  statements: readonly Statement[],
): Permissions {
  const denies: Rule[] = [];
  const allows: Rule[] = actions.map((action) => compileRule(classicStatement(action)));
  for (const statement of statements) {
    checkStatement(statement);
    (statement.effect === "Deny" ? denies : allows).push(compileRule(statement));
  }
  return { denies, allows };
}

/** A matching Deny wins; without a matching Allow, or with a question that makes no sense, the answer is no. */
export function decide(
  permissions: Permissions,
  request: Pick<AccessRequest, "action" | "resource" | "reach">,
): Decision {
  const { resource, reach = "one" } = request;
  if (!isAction(request.action) || !resource.startsWith("arn:")) return DENY_IMPLICIT;
  const action = request.action.toLowerCase();
  const isBelow = reach === "below";
  // What is below has no end: an Allow has to hold for all of it, and a Deny may hold for any of it.
  const [denies, allows] = isBelow
    ? [touchesPrefix, coversPrefix]
    : [matchesPattern, matchesPattern];
  if (anyMatches(permissions.denies, action, resource, denies)) return DENY_EXPLICIT;
  return anyMatches(permissions.allows, action, resource, allows) ? ALLOW : DENY_IMPLICIT;
}

type Matches = (pattern: Pattern, text: string) => boolean;

function anyMatches(
  rules: readonly Rule[],
  action: string,
  resource: string,
  matches: Matches,
): boolean {
  for (const rule of rules) {
    if (
      rule.actions.some((pattern) => matchesPattern(pattern, action)) &&
      rule.resources.some((pattern) => matches(pattern, resource))
    ) {
      return true;
    }
  }
  return false;
}

function compileRule(statement: Statement): Rule {
  return {
    actions: statement.actions.map((action) => compilePattern(action.toLowerCase())),
    resources: statement.resources.map(compilePattern),
  };
}

function checkStatement(statement: Statement): void {
  if (statement.effect !== "Allow" && statement.effect !== "Deny") {
    throw invalid("its effect is neither Allow nor Deny");
  }
  checkPatterns("actions", statement.actions, /^(\*|[a-z0-9-]+:[A-Za-z0-9*?]+)$/);
  // oxlint-disable-next-line no-control-regex -- control characters are what is kept out
  checkPatterns("resources", statement.resources, /^(\*|arn:[^\u0000-\u001f\u007f]+)$/);
}

function checkPatterns(what: string, patterns: readonly string[], form: RegExp): void {
  if (patterns.length === 0 || patterns.length > PATTERNS_PER_STATEMENT_MAX) {
    throw invalid(`it takes 1 to ${PATTERNS_PER_STATEMENT_MAX} ${what}`);
  }
  for (const pattern of patterns) {
    if (pattern.length > PATTERN_LENGTH_MAX || !form.test(pattern)) {
      throw invalid(`one of its ${what} cannot be read`);
    }
    // Variables are not substituted here; taken literally, a Deny with one would never hold.
    if (pattern.includes("${")) throw invalid("policy variables are not supported");
  }
}

/** `service:Action`, without wildcards: a question is about one thing. */
function isAction(action: string): boolean {
  return /^[a-z0-9-]+:[A-Za-z0-9]+$/.test(action);
}

function invalid(reason: string): IamError {
  return new IamError("invalid-statement", `Cannot use the statement: ${reason}`);
}
