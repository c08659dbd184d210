"""The one mount of the compared help desk."""

from django.urls import include, path

urlpatterns = [path("helpdesk/", include("helpdesk.urls"))]
