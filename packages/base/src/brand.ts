declare const brand: unique symbol;

/** A `Base` that only its parser can make: `Brand<string, "BucketName">` is no plain string to a callee. */
export type Brand<Base, Name extends string> = Base & { readonly [brand]: Name };
