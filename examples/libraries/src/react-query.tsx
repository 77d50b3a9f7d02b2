import { QueryClient, QueryClientProvider, useQuery } from "@tanstack/react-query";
import { AuthError, type Session } from "authsvc";
import { useEffect, type ReactNode } from "react";
import { auth } from "./auth";

const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      // The module has already retried what a retry can help.
      retry: (count, error) => !(error instanceof AuthError) && count < 2,
    },
  },
});

/** Drops everything that was fetched for one user before another one sees the page. */
export function Queries({ children }: { children: ReactNode }) {
  useEffect(() => {
    let id = auth.user?.id;
    return auth.onChange((user) => {
      if (user?.id !== id) queryClient.clear();
      id = user?.id;
    });
  }, []);
  return <QueryClientProvider client={queryClient}>{children}</QueryClientProvider>;
}

export function SessionCount() {
  const { data, error } = useQuery({
    queryKey: ["sessions"],
    queryFn: async ({ signal }): Promise<Session[]> => {
      const response = await auth.fetch("/api/me/sessions", { signal });
      if (!response.ok) throw new Error(`The sessions cannot be listed: ${response.status}`);
      return (await response.json()).sessions;
    },
  });
  return <output id="react-query">{error?.message ?? data?.length}</output>;
}
