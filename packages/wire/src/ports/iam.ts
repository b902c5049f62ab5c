import type { AccessKeyId } from "../ids.ts";

/** Who makes a request, as far as it was proven. */
export type Principal =
  | { readonly kind: "root"; readonly name: "root" }
  | { readonly kind: "identity"; readonly name: string }
  | { readonly kind: "anonymous"; readonly name: "anonymous" };

/** One thing that someone wants to do. */
export interface AccessRequest {
  readonly principal: Principal;
  /** Service and action in AWS form, such as `s3:GetObject` or `pipelines:CreateRun`. */
  readonly action: string;
  /** ARN without wildcards, such as `arn:aws:s3:::bucket/key`; made by `objectArn`, `bucketArn`, `serviceArn`. */
  readonly resource: string;
  /**
   * `below`: the question is about everything whose ARN begins with `resource`, itself included, whatever is or will be there. It is
   * allowed when one Allow holds for all of it and no Deny for any of it. Default `one`.
   */
  readonly reach?: "one" | "below";
}

export type Decision =
  | { readonly kind: "allow" }
  /** `explicit`: a Deny statement matched; `implicit`: nothing allowed it. */
  | { readonly kind: "deny"; readonly reason: "explicit" | "implicit" };

/** The one policy engine behind every door. Synchronous: a gateway holds what it needs in memory. */
export interface Authorizer {
  /** Fails closed: whatever the evaluator does not understand is a deny. Root is always allowed. */
  authorize(request: AccessRequest): Decision;
}

/** Proven identities by access key. */
export interface KeyDirectory {
  /** `undefined` for an unknown, disabled or inactive key. */
  findKey(id: AccessKeyId): KeyRecord | undefined;
}

export interface KeyRecord {
  readonly id: AccessKeyId;
  /** Never logged, never returned by a list. */
  readonly secret: string;
  readonly principal: Principal;
}

/** A rule in the language of AWS policies. Wildcards `*` and `?` in actions and resources. */
export interface Statement {
  readonly effect: "Allow" | "Deny";
  readonly actions: readonly string[];
  readonly resources: readonly string[];
}

export interface Identity {
  readonly name: string;
  readonly isDisabled: boolean;
  /** SeaweedFS form: `Admin`, `Read:bucket`, `Write:bucket/prefix*`; translated to statements by the evaluator. */
  readonly actions: readonly string[];
  readonly statements: readonly Statement[];
  /** Without secrets. */
  readonly keys: readonly {
    readonly id: AccessKeyId;
    readonly isActive: boolean;
    readonly createdMs: number;
    /** The stored key was damaged and opens nothing; it can be deleted. */
    readonly isDamaged?: true;
  }[];
  readonly createdMs: number;
  /** What is stored of it was damaged: it may do nothing until it is put again. */
  readonly isDamaged?: true;
}

/** Changes to identities: durable and effective in this process when resolved. Throws `IamError` on bad input. */
export interface IdentityAdmin {
  listIdentities(): Promise<Identity[]>;
  getIdentity(name: string): Promise<Identity | undefined>;
  /** Creates or replaces actions and statements; keys stay. */
  putIdentity(identity: {
    readonly name: string;
    readonly actions: readonly string[];
    readonly statements?: readonly Statement[];
    readonly isDisabled?: boolean;
  }): Promise<Identity>;
  deleteIdentity(name: string): Promise<boolean>;
  /** Makes a pair, or stores the given one. The secret is returned this once. */
  createKey(
    name: string,
    pair?: { readonly id: AccessKeyId; readonly secret: string },
  ): Promise<{ readonly id: AccessKeyId; readonly secret: string }>;
  setKeyActive(name: string, id: AccessKeyId, state: "active" | "inactive"): Promise<boolean>;
  deleteKey(name: string, id: AccessKeyId): Promise<boolean>;
}

export function bucketArn(bucket: string): string {
  return `arn:aws:s3:::${bucket}`;
}

export function objectArn(bucket: string, key: string): string {
  return `arn:aws:s3:::${bucket}/${key}`;
}

/** A thing of Kelp's own, such as `arn:kelp:pipelines:::run/<id>`. */
export function serviceArn(service: string, path: string): string {
  return `arn:kelp:${service}:::${path}`;
}
