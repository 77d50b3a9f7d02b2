import type { Auth, Calling, User } from "./authsvc.cjs";

// The types of authsvc-factors.js.

/** What a second factor can be. */
export type FactorMethod = "totp" | "recovery_code" | "passkey";

/** Options of `login`: a second factor, at most one. */
export type LoggingIn = Calling & {
    /** The code that the authenticator app shows. */
    code?: string;
    /** A recovery code, which then does not work again. */
    recoveryCode?: string;
    /** Ask the browser for a passkey of the account. */
    passkey?: true;
};

/** What the person gives: exactly one. */
export type Reauthenticating = Calling & ({ password: string } | { code: string } | { passkey: true });

/** A passkey of the account. Times are RFC 3339, in UTC. */
export type Passkey = {
    id: string;
    name: string;
    created_at: string;
    last_used_at: string | null;
    /** Whether it is copied to the person's other devices. */
    synced: boolean;
};

/** The second factors of the account. */
export type FactorList = {
    /** The authenticator app; `since` is RFC 3339, in UTC. */
    totp: { enabled: boolean; since: string | null };
    recovery_codes: { left: number };
    passkeys: Passkey[];
};

/** A secret for an authenticator app. It is not in force before `confirmTotp`. */
export type TotpSecret = {
    /** For people who type it, in base32. */
    secret: string;
    /** The `otpauth:` URI. */
    uri: string;
    /** The URI as a QR code, an SVG image. */
    qr_svg: string;
};

export type FactorsOptions = {
    /**
     * Ask the person for one of `methods`, pass the answer to `auth.reauthenticate`, and resolve. It is
     * called once for all requests that wait for it, and each is then sent once more. If it rejects or
     * resolves to false, or if the user changes meanwhile, each gets the service's refusal. Settle it in
     * any case, and call nothing in it that may be refused too.
     */
    onReauthenticate?: (wanted: { methods: ("password" | "totp" | "passkey")[] }) => unknown;
};

/** A page's client of the service, with second factors. */
export type FactorsAuth = Omit<Auth, "login"> & {
    /**
     * Log in. If the account has a second factor and none is given, it rejects with
     * `second_factor_required`, and `methods` of the error has what the account accepts.
     */
    login(email: string, password: string, loggingIn?: LoggingIn): Promise<User>;
    /**
     * Log in with a passkey that the person chooses: in a prompt, or, with `autofill`, among the
     * suggestions of a field that has `autocomplete="username webauthn"`. Autofill resolves to null if
     * the browser does not support it, and when a login or another prompt has ended it.
     */
    loginWithPasskey(calling?: Calling & { autofill?: false }): Promise<User>;
    loginWithPasskey(calling: Calling & { autofill: boolean }): Promise<User | null>;
    /** Authenticate again within the session; the next access token has an `auth_time` of now. */
    reauthenticate(given: Reauthenticating): Promise<User>;
    factors: {
        list(calling?: Calling): Promise<FactorList>;
        /** Make a secret for an authenticator app. */
        beginTotp(calling?: Calling): Promise<TotpSecret>;
        /** Confirm the app with a code that it shows. Resolves to recovery codes, shown this once. */
        confirmTotp(code: string, calling?: Calling): Promise<string[]>;
        removeTotp(calling?: Calling): Promise<void>;
        /** Make new recovery codes, shown this once; the old ones are void. */
        replaceRecoveryCodes(calling?: Calling): Promise<string[]>;
        /** Make a passkey on this device or another, and add it to the account under this name. */
        addPasskey(name: string, calling?: Calling): Promise<Pick<Passkey, "id" | "name" | "created_at">>;
        removePasskey(id: string, calling?: Calling): Promise<void>;
    };
};

/**
 * Add second factors, passkeys and reauthentication to a client that `createAuth` returned, and
 * return it.
 */
export declare function withFactors(auth: Auth, options?: FactorsOptions): FactorsAuth;
