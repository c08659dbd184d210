"""The one thing that can go wrong for the person who starts the system."""


class ServerUnavailable(RuntimeError):
    """A server cannot be had on this machine: one sentence with the reason and the way out."""

    def __init__(self, server: str, setting: str, zh: str, en: str) -> None:
        self.server = server
        self.setting = setting
        super().__init__(
            f"{server}：{zh}；也可用 {setting} 指向已有的服务器。 / "
            f"{en}; or let {setting} point to an existing server."
        )
