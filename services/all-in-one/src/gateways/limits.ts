/** A gateway that leaves a question of the server unanswered for so long is ended: nothing may wait for it. */
export const ANSWER_MS_MAX = 15_000;
/** Starting a gateway, until its door answers. */
export const START_MS_MAX = 20_000;
/** Pauses before a gateway that ended is replaced: the first, and the longest after it ended again and again. */
export const REPLACE_PAUSE_MS = 100;
export const REPLACE_PAUSE_MS_MAX = 10_000;
/** A gateway that served so long begins again with the first pause. */
export const STEADY_MS = 60_000;
/** Tries for a port that the system is to choose: another process may take one between its choice and the gateways' opening it. */
export const PORT_ATTEMPTS_MAX = 5;
/** How often a gateway looks after the volume files that it reads. */
export const REFRESH_PAUSE_MS = 10_000;
/** How often a gateway that serves requests says so: twice while the server remembers one. */
export const BUSY_PAUSE_MS = 50;
