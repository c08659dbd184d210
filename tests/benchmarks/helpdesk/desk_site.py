"""A django-helpdesk as its documentation sets it up, for the environment of its own.

Run there, never imported by our code: ``python desk_site.py seed N`` fills the database and
prints a JSON object ``{session, queue, first}``; ``gunicorn desk_site:application`` serves it.
The database is named by ``HELPDESK_DATABASE`` (a PostgreSQL URL).
"""

import json
import os
import sys
from urllib.parse import unquote, urlsplit

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

_url = urlsplit(os.environ["HELPDESK_DATABASE"])
_query = dict(pair.split("=", 1) for pair in _url.query.split("&") if "=" in pair)
SECRET = "a secret for measuring only"

settings.configure(
    SECRET_KEY=SECRET,
    DEBUG=False,
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF="urls",
    INSTALLED_APPS=[
        "django.contrib.auth",
        "django.contrib.contenttypes",
        "django.contrib.sessions",
        "django.contrib.sites",
        "django.contrib.messages",
        "django.contrib.staticfiles",
        "django.contrib.admin",
        "django.contrib.humanize",
        "account",
        "pinax.invitations",
        "pinax.teams",
        "reversion",
        "rest_framework",
        "helpdesk",
    ],
    SITE_ID=1,
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "django.middleware.clickjacking.XFrameOptionsMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {
                "context_processors": [
                    "django.template.context_processors.debug",
                    "django.template.context_processors.request",
                    "django.contrib.auth.context_processors.auth",
                    "django.contrib.messages.context_processors.messages",
                ]
            },
        }
    ],
    DATABASES={
        "default": {
            "ENGINE": "django.db.backends.postgresql",
            "NAME": _url.path.lstrip("/"),
            "USER": unquote(_url.username or ""),
            "PASSWORD": unquote(_url.password or ""),
            "HOST": unquote(_query.get("host", _url.hostname or "")),
            "PORT": _query.get("port", _url.port or ""),
            "CONN_MAX_AGE": 600,
        }
    },
    DEFAULT_AUTO_FIELD="django.db.models.AutoField",
    STATIC_URL="/static/",
    MEDIA_ROOT=os.environ.get("HELPDESK_MEDIA", "media"),
    USE_TZ=True,
    TIME_ZONE="Asia/Shanghai",
    LOGIN_URL="/helpdesk/login/",
    # Nobody is written to: what is measured is the desk, not a mail server.
    EMAIL_BACKEND="django.core.mail.backends.dummy.EmailBackend",
    HELPDESK_KB_ENABLED=False,
    HELPDESK_PUBLIC_TICKET_DUE_DATE=None,
)
application = get_wsgi_application()


def seed(number: int) -> None:
    """Migrate, make one queue, one member of staff and `number` tickets with a follow-up each."""
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore
    from django.core.management import call_command
    from django.utils import timezone
    from helpdesk.models import FollowUp, Queue, Ticket

    call_command("migrate", verbosity=0)
    queue, _ = Queue.objects.get_or_create(
        slug="lib", defaults={"title": "Library", "allow_public_submission": True}
    )
    staff, made = User.objects.get_or_create(username="staff", defaults={"is_staff": True})
    if made:
        staff.is_superuser = True
        staff.set_password("staff")
        staff.save()
    words = "三层东区217一上午都是一个水杯占着，人影没有。占座到底管不管？" * 3
    for start in range(0, number, 5_000):
        tickets = Ticket.objects.bulk_create(
            Ticket(
                title=f"座位 {n}",
                queue=queue,
                created=timezone.now(),
                submitter_email=f"reader{n}@example.edu",
                description=words,
                priority=1 + n % 5,
                status=1 + n % 3,
            )
            for n in range(start, min(start + 5_000, number))
        )
        FollowUp.objects.bulk_create(
            FollowUp(ticket=t, date=timezone.now(), title="Opened", comment=words, public=True)
            for t in tickets
        )
    session = SessionStore()
    session[SESSION_KEY] = str(staff.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = staff.get_session_auth_hash()
    session.create()
    first = Ticket.objects.order_by("id").values_list("id", flat=True).first()
    print(json.dumps({"session": session.session_key, "queue": queue.pk, "first": first}))


if __name__ == "__main__":
    django.setup()
    seed(int(sys.argv[2]))
