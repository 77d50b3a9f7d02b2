import { createAuth, type User } from "authsvc";
import { readable } from "svelte/store";

export const auth = createAuth({ baseUrl: "/" });

type State = { status: typeof auth.status; user: User | null };
const now = (): State => ({ status: auth.status, user: auth.user });

/** The state of the page: `$session.user`, `$session.status`. */
export const session = readable(now(), (set) => auth.onChange(() => set(now())));

auth.restore().catch(() => {}); // the status stays "unknown", and it tries again when online
