import type { Iam } from "@kelp/iam";

/** The directory of identities with others that must know of a change before it is told to be done. */
export function announceChanges(iam: Iam, changed: () => Promise<void>): Iam {
  const announced =
    <Arguments extends unknown[], Value>(change: (...values: Arguments) => Promise<Value>) =>
    async (...values: Arguments): Promise<Value> => {
      try {
        return await change(...values);
      } finally {
        // Also after a failure: it may have come behind the change.
        await changed();
      }
    };
  return {
    authorize: (request) => iam.authorize(request),
    findKey: (id) => iam.findKey(id),
    listIdentities: () => iam.listIdentities(),
    getIdentity: (name) => iam.getIdentity(name),
    putIdentity: announced((identity) => iam.putIdentity(identity)),
    deleteIdentity: announced((name) => iam.deleteIdentity(name)),
    createKey: announced((name, pair) => iam.createKey(name, pair)),
    setKeyActive: announced((name, id, state) => iam.setKeyActive(name, id, state)),
    deleteKey: announced((name, id) => iam.deleteKey(name, id)),
  };
}
