import { AuthError } from "authsvc";
import { useState, type FormEvent } from "react";
import { auth, useAuth } from "./auth";

export function App() {
  const { status, user } = useAuth();
  if (status === "unknown") return <p role="status">One moment …</p>;
  return user ? <Account email={user.email} /> : <LogIn />;
}

function LogIn() {
  const [message, setMessage] = useState("");

  async function logIn(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const fields = new FormData(event.currentTarget);
    try {
      await auth.login(String(fields.get("email")), String(fields.get("password")));
    } catch (error) {
      if (!(error instanceof AuthError)) throw error;
      setMessage(error.code === "invalid_credentials" ? "Wrong e-mail or password." : error.message);
    }
  }

  return (
    // method="post": if the script has not loaded yet, the password does not end up in the URL.
    <form method="post" onSubmit={logIn}>
      <input name="email" type="email" autoComplete="username" aria-label="E-mail" required />
      <input name="password" type="password" autoComplete="current-password" aria-label="Password" required />
      <button>Log in</button>
      <p role="alert">{message}</p>
    </form>
  );
}

function Account({ email }: { email: string }) {
  const [message, setMessage] = useState("");
  const logOut = () => auth.logout().catch((error: Error) => setMessage(error.message));

  return (
    <>
      <h1>{email}</h1>
      <button onClick={logOut}>Log out</button>
      <p role="alert">{message}</p>
    </>
  );
}
