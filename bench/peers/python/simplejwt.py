"""Django REST framework with Simple JWT and its blacklist app, in one file.

It uses the documented stateless authentication: the protected route does not query the user.
"""

import json
import os
import sys

import django
from argon2 import extract_parameters
from django.conf import settings
from django.contrib.auth.hashers import Argon2PasswordHasher
from django.core.management import call_command
from django.core.wsgi import get_wsgi_application
from django.urls import path

sys.modules["simplejwt"] = sys.modules[__name__]  # it is its own URLconf, as a program too

ANSWER = json.loads(os.environ["ANSWER"])
COST = extract_parameters(os.environ["PASSWORD_HASH"])


class Argon2(Argon2PasswordHasher):
    time_cost, memory_cost, parallelism = COST.time_cost, COST.memory_cost, COST.parallelism


settings.configure(
    SECRET_KEY=os.environ["SECRET"],
    ALLOWED_HOSTS=["127.0.0.1"],
    ROOT_URLCONF="simplejwt",
    USE_TZ=True,
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "rest_framework",
        "rest_framework_simplejwt",
        "rest_framework_simplejwt.token_blacklist",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.middleware.common.CommonMiddleware",
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": os.environ["DATABASE"],
            "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
        }
    },
    PASSWORD_HASHERS=["simplejwt.Argon2"],
    REST_FRAMEWORK={
        "DEFAULT_AUTHENTICATION_CLASSES": [
            "rest_framework_simplejwt.authentication.JWTStatelessUserAuthentication"
        ],
        "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
        "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    },
)
django.setup()

from django.contrib.auth.models import User  # noqa: E402 - Django must be set up first
from django.db import transaction  # noqa: E402
from rest_framework.decorators import api_view  # noqa: E402
from rest_framework.response import Response  # noqa: E402
from rest_framework_simplejwt.tokens import RefreshToken  # noqa: E402
from rest_framework_simplejwt.views import (  # noqa: E402
    TokenBlacklistView,
    TokenObtainPairView,
    TokenRefreshView,
)


@api_view()
def things(request):
    return Response(ANSWER)


urlpatterns = [
    path("things", things),
    path("login", TokenObtainPairView.as_view()),
    path("refresh", TokenRefreshView.as_view()),
    path("logout", TokenBlacklistView.as_view()),
]
app = get_wsgi_application()

if __name__ == "__main__":
    call_command("migrate", verbosity=0)
    alice = User.objects.create_user(os.environ["EMAIL"], password=os.environ["PASSWORD"])
    with transaction.atomic():
        for _ in range(int(os.environ["SESSIONS"])):
            print(json.dumps({"refresh": str(RefreshToken.for_user(alice))}))
