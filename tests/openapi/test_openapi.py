"""GET /openapi.json: valid, complete, and consistent with the routes and the problems."""

import json

import pytest
from flask import Blueprint, Flask
from openapi_spec_validator import validate

from authsvc.guard import public
from authsvc.version import __version__
from authsvc.web.outputs import answers
from tests.conftest import MakeApp
from tests.support.api_description import Description
from tests.web.test_problems import DOCUMENTED

UNDESCRIBED = {
    "GET /<any(''):nothing>",  # an operator's own page may take its place
    "GET /docs/<any('docs.css', 'look.css', 'icon.svg'):name>",  # files that the page loads
}
"""Routes that clients do not call."""

# A generated client's functions have these names: another name breaks it.
OPERATIONS = {
    "POST /auth/register": "register",
    "POST /auth/login": "login",
    "POST /auth/refresh": "refresh",
    "POST /auth/logout": "logout",
    "POST /auth/passkey/options": "passkey_options",
    "POST /auth/passkey": "passkey_login",
    "POST /auth/reauthenticate": "reauthenticate",
    "POST /auth/device": "register_device",
    "POST /auth/device/refresh": "renew_device",
    "POST /auth/password/forgot": "password_forgot",
    "POST /auth/password/reset": "password_reset",
    "POST /auth/email/verify": "email_verify",
    "POST /auth/email/change": "email_change",
    "POST /auth/email/resend": "email_resend",
    "GET /auth/verify": "verify",
    "POST /auth/introspect": "introspect",
    "GET /api/me": "me_show",
    "DELETE /api/me": "me_delete",
    "GET /api/me/activity": "activity_show_activity",
    "PUT /api/me/password": "password_change",
    "POST /api/me/email": "email_request_change",
    "GET /api/me/sessions": "sessions_show_all",
    "DELETE /api/me/sessions": "sessions_revoke_all",
    "DELETE /api/me/sessions/{sid}": "sessions_revoke_one",
    "GET /api/me/factors": "factors_show_all",
    "POST /api/me/totp": "totp_begin",
    "PUT /api/me/totp": "totp_confirm",
    "DELETE /api/me/totp": "totp_remove",
    "POST /api/me/recovery-codes": "recovery_codes_replace",
    "POST /api/me/passkeys": "passkey_add",
    "POST /api/me/passkeys/options": "passkey_creation_options",
    "DELETE /api/me/passkeys/{passkey_id}": "passkey_remove",
    "GET /healthz": "healthz",
    "GET /readyz": "health_readyz",
    "GET /metrics": "metrics",
    "GET /.well-known/jwks.json": "jwks",
    "GET /openapi.json": "openapi_json",
    "GET /docs": "docs_page",
    "GET /static/authsvc.js": "static_authsvc_js",
    "GET /static/authsvc-binding.js": "static_binding_js",
    "GET /static/authsvc-factors.js": "static_factors_js",
}


@pytest.fixture
def description(mail_app: Flask) -> Description:
    """The document of an app that has all routes."""
    return Description(mail_app)


def test_the_document_is_valid_openapi_3_1(description: Description) -> None:
    assert description.document["openapi"] == "3.1.0"
    validate(description.document)


def test_the_document_has_every_route(mail_app: Flask) -> None:
    described = {str(operation) for operation in Description(mail_app).operations}
    for rule in mail_app.url_map.iter_rules():
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
            route = f"{method} {rule.rule}"
            if route not in UNDESCRIBED:
                path = rule.rule.replace("<uuid:", "{").replace("<", "{").replace(">", "}")
                assert f"{method} {path}" in described, (
                    f"{route} does not say what it answers: write @answers(200, may=[...]) below "
                    f"@public, annotate what {rule.endpoint} returns, and add it to OPERATIONS"
                )


def test_operation_ids_do_not_change(description: Description) -> None:
    named = {
        str(operation): operation.description["operationId"] for operation in description.operations
    }
    assert named == OPERATIONS


def test_the_documents_problems_are_those_of_the_contract(description: Description) -> None:
    schemas = description.document["components"]["schemas"]
    documented = {code for _, code in DOCUMENTED}
    assert set(schemas["Problem"]["properties"]["code"]["enum"]) == documented
    answered = [description.codes(operation) for operation in description.operations]
    assert set.union(*answered) == documented - {"method_not_allowed"}  # that has no operation


def test_the_document_names_the_header_of_proofs_on_each_route_that_reads_it(
    description: Description,
) -> None:
    reading = {
        str(operation)
        for operation in description.operations
        if any(one["name"] == "DPoP" for one in operation.description.get("parameters", []))
    }
    assert reading == {
        "POST /auth/login",
        "POST /auth/passkey",
        "POST /auth/reauthenticate",
        "POST /auth/refresh",
        "POST /auth/email/verify",
        "PUT /api/me/password",
    }


def test_each_problem_has_an_example(description: Description) -> None:
    for operation in description.operations:
        for status, response in operation.description["responses"].items():
            content = description.resolved(response).get("content", {})
            if "application/problem+json" in content:
                problem = content["application/problem+json"]
                assert set(problem["examples"]) == set(description.codes_in(problem["schema"]))
                for code, example in problem["examples"].items():
                    description.assert_fits(problem["schema"], example["value"])
                    assert (example["value"]["code"], example["value"]["status"]) == (
                        code,
                        int(status),
                    )


def test_the_status_and_code_of_a_problem_are_typed_enums(description: Description) -> None:
    """openapi-python-client leaves out a response whose `const` it cannot merge with a type."""
    schemas = description.document["components"]["schemas"]
    for status, code in DOCUMENTED - {(405, "method_not_allowed")}:
        name = "".join(word.capitalize() for word in code.split("_")) + "Problem"
        members = schemas[name]["allOf"][1]["properties"]
        for member, kind, value in (("status", "integer", status), ("code", "string", code)):
            assert members[member]["type"] == kind
            assert members[member]["enum"] == [value]


def test_no_body_of_a_protected_route_names_the_access_token(description: Description) -> None:
    """A program that imports the document would send it there and as Bearer, which is 400."""
    for operation in description.operations:
        if operation.description["security"] == [{"access_token": []}]:
            body = operation.description.get("requestBody", {})
            schema = body.get("content", {}).get("application/json", {}).get("schema", {})
            assert "access_token" not in description.resolved(schema).get("properties", {})
    scheme = description.document["components"]["securitySchemes"]["access_token"]
    assert "`access_token` of a JSON body" in scheme["description"]


def test_each_operation_and_each_member_has_a_description(
    description: Description,
) -> None:
    for operation in description.operations:
        assert operation.description["summary"], f"{operation}: its view has no docstring"
        for parameter in operation.description.get("parameters", []):
            assert parameter["description"], f"{operation}: Args: {parameter['name']}"
    for name, schema in description.document["components"]["schemas"].items():
        for member, described in schema.get("properties", {}).items():
            assert described.get("description"), f"{name}: its docstring needs Args: {member}"


def test_a_member_that_may_be_left_out_has_no_null_as_its_default(
    description: Description,
) -> None:
    """openapi-typescript makes each member required that has a default."""
    account = description.document["components"]["schemas"]["NewAccount"]
    assert "locale" in account["properties"].keys() - set(account["required"])
    assert "default" not in account["properties"]["locale"]


def test_the_document_says_which_credential_each_route_needs(description: Description) -> None:
    entered = {str(one): one.description["security"] for one in description.operations}
    assert entered["GET /api/me"] == [{"access_token": []}]
    assert entered["POST /auth/refresh"] == [{"refresh_cookie": []}]
    assert entered["POST /auth/logout"] == [{"refresh_cookie": []}, {}]
    assert entered["POST /auth/login"] == entered["GET /healthz"] == []
    schemes = description.document["components"]["securitySchemes"]
    assert schemes["refresh_cookie"]["name"] == "__Host-refresh_token"
    assert schemes["access_token"]["scheme"] == "bearer"


def test_a_login_sets_the_cookie_and_a_refresh_sets_none(description: Description) -> None:
    responses = description.document["paths"]
    assert "Set-Cookie" in responses["/auth/login"]["post"]["responses"]["200"]["headers"]
    assert "Set-Cookie" in responses["/api/me/password"]["put"]["responses"]["200"]["headers"]
    for response in responses["/auth/refresh"]["post"]["responses"].values():
        assert "Set-Cookie" not in response.get("headers", {})


def test_the_document_follows_the_settings(make_app: MakeApp) -> None:
    url = "http://localhost:8000"
    app = make_app(issuer=f"{url}/", cookie_secure=False)
    document = Description(app).document
    assert document["servers"] == [{"url": url}]
    assert document["info"]["version"] == __version__
    assert document["components"]["securitySchemes"]["refresh_cookie"]["name"] == "refresh_token"
    new_password = document["components"]["schemas"]["NewPassword"]["properties"]["new_password"]
    assert (new_password["minLength"], new_password["maxLength"]) == (15, 256)  # `make_app`'s own
    assert new_password["format"] == "password"


def test_the_response_is_revalidated_by_its_etag(app: Flask) -> None:
    client = app.test_client()
    first = client.get("/openapi.json")
    assert first.headers["Cache-Control"] == "no-cache"
    again = client.get("/openapi.json", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")


def test_an_operators_own_routes_are_described_if_they_declare_a_response(
    make_app: MakeApp,
) -> None:
    own = Blueprint("notes", __name__)

    @own.get("/notes/<int:number>")
    @answers(200)
    def notes(number: int) -> list[str]:
        """Read a note.

        Args:
            number: which.
        """
        return [str(number)]

    own.get("/silent", endpoint="silent")(public(lambda: "silent"))
    app = make_app()
    app.register_blueprint(own)
    document = Description(app).document
    validate(document)
    operation = document["paths"]["/notes/{number}"]["get"]
    assert (operation["summary"], operation["tags"]) == ("Read a note", ["notes"])
    assert operation["parameters"][0]["description"] == "Which."
    assert "/silent" not in json.dumps(document)
