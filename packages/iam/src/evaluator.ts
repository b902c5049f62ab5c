import type { Decision, Statement } from "@kelp/wire";
import { classicStatement } from "./classic-actions.ts";
import { IamError } from "./errors.ts";
import { PATTERNS_PER_STATEMENT_MAX, PATTERN_LENGTH_MAX } from "./limits.ts";
import { type Pattern, compilePattern, matchesPattern } from "./pattern.ts";

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
export function decide(permissions: Permissions, action: string, resource: string): Decision {
  if (!isAction(action) || !resource.startsWith("arn:")) return DENY_IMPLICIT;
  const lowerAction = action.toLowerCase();
  if (anyMatches(permissions.denies, lowerAction, resource)) return DENY_EXPLICIT;
  return anyMatches(permissions.allows, lowerAction, resource) ? ALLOW : DENY_IMPLICIT;
}

function anyMatches(rules: readonly Rule[], action: string, resource: string): boolean {
  for (const rule of rules) {
    if (matchesAny(rule.actions, action) && matchesAny(rule.resources, resource)) return true;
  }
  return false;
}

function matchesAny(patterns: readonly Pattern[], text: string): boolean {
  for (const pattern of patterns) if (matchesPattern(pattern, text)) return true;
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
