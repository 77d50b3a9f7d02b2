import { createAuth, type User } from "authsvc";
import { createContext, useContext, useEffect, useSyncExternalStore, type ReactNode } from "react";

export const auth = createAuth({ baseUrl: "/" });

type State = { status: typeof auth.status; user: User | null };

const AuthContext = createContext<State>({ status: "unknown", user: null });

/** Asks once for the session of this browser, and renders again whenever the user changes. */
export function AuthProvider({ children }: { children: ReactNode }) {
  const user = useSyncExternalStore(auth.onChange, () => auth.user, () => null);
  const status = useSyncExternalStore(auth.onChange, () => auth.status, () => "unknown" as const);

  useEffect(() => {
    auth.restore().catch(() => {}); // the status stays "unknown", and it tries again when online
  }, []);

  return <AuthContext value={{ status, user }}>{children}</AuthContext>;
}

export const useAuth = () => useContext(AuthContext);
