"""redis-py, as Debian has it, in its default configuration."""
import hashlib
import inspect
import os
import tempfile
import threading

import redis

from leatd import Leatd, check, report

PAYLOAD = b"\x00\x01\r\n\xff\x00" + os.urandom(300000)
TOKEN = "python-token-0123456789"


def error_of(function, *words):
    try:
        return f"no error but {function(*words)!r}"
    except redis.RedisError as error:
        return f"{type(error).__name__}: {error}"


def talk(name, leatd, **options):
    client = redis.Redis(port=leatd.port, **options)
    check(client.ping() is True, f"{name} pings")
    check(client.execute_command("RUN", "upper", "hello") == b"HELLO", f"{name} runs a job")
    check(client.execute_command("RUN", "echo", PAYLOAD) == PAYLOAD, f"{name} gets any bytes back")
    told = error_of(client.execute_command, "RUN", "nope", "x")
    check(told.startswith("ResponseError: NOJOB "), f"{name} raises errors, with the code first", told)
    told = error_of(client.execute_command, "RUN", "sleep", "60000", "DEADLINE", "50")
    check(told.startswith("ResponseError: TIMEOUT "), f"{name} raises what became of a job", told)

    line = client.pipeline(transaction=False)
    for i in range(100):
        line.execute_command("RUN", "nope" if i == 50 else "echo", f"n{i}")
    answers = line.execute(raise_on_error=False)
    check(all(isinstance(a, redis.ResponseError) if i == 50 else a == f"n{i}".encode() for i, a in enumerate(answers)),
          f"{name} pipelines, errors among the rest")

    info = client.info()
    check(info["connected_clients"] >= 1 and info["leat_version"] and info["job_echo"]["submitted"] >= 1, f"{name} reads INFO", info)
    check(client.info("clients").keys() == {"connected_clients", "maxclients"}, f"{name} reads a section of INFO")
    check(client.config_get("save") == {"save": ""}, f"{name} reads a setting", client.config_get("save"))
    check(client.command_count() == len(client.command()), f"{name} counts the commands")
    check(client.command()["run"]["arity"] == -2, f"{name} knows what a command takes")
    check(client.echo("x") == b"x", f"{name} has its echo")
    check(client.client_id() > 0 and client.client_setname("me"), f"{name} has a number and takes a name")
    client.close()


def pool(leatd):
    """Many threads over a pool of connections."""
    client = redis.Redis(connection_pool=redis.BlockingConnectionPool(port=leatd.port, max_connections=5, timeout=60))
    wrong = []

    def ask(thread):
        for i in range(50):
            text = f"{thread}-{i}".encode()
            if client.execute_command("RUN", "echo", text) != text:
                wrong.append(text)

    threads = [threading.Thread(target=ask, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    check(not wrong, "redis-py gets each its answer over a pool", wrong)
    client.close()


def reconnect(leatd):
    client = redis.Redis(port=leatd.port, client_name="me", health_check_interval=1)
    check(client.execute_command("RUN", "upper", "x") == b"X", "redis-py with a name and health checks runs a job")
    # The time of the next health check is past.
    client.connection_pool._available_connections[0].next_health_check = 1
    check(client.execute_command("RUN", "upper", "y") == b"Y", "redis-py finds us healthy")
    leatd.stop()
    again = Leatd(port=leatd.port)
    check(client.execute_command("RUN", "upper", "again") == b"AGAIN", "redis-py connects again")
    client.close()
    return again


def with_token():
    with tempfile.NamedTemporaryFile("w", prefix="leat-tokens-") as tokens:
        tokens.write(f"app {hashlib.sha256(TOKEN.encode()).hexdigest()} run:upper\n")
        tokens.flush()
        leatd = Leatd("-o", f"server.tokens={tokens.name}")
        for options in ({"password": TOKEN}, {"username": "anybody", "password": TOKEN}):
            client = redis.Redis(port=leatd.port, **options)
            check(client.execute_command("RUN", "upper", "x") == b"X", "redis-py with a token runs a job")
            told = error_of(client.execute_command, "RUN", "echo", "x")
            check("NOAUTH" in told or "does not give the right" in told, "redis-py is told what its token may not", told)
            client.close()
        told = error_of(redis.Redis(port=leatd.port, password="wrong").ping)
        check("wrong token" in told, "redis-py with a wrong token is told so", told)
        told = error_of(redis.Redis(port=leatd.port).ping)
        check(told.startswith("AuthenticationError: "), "redis-py without a token is told that it wants one", told)
        leatd.stop()


def main():
    leatd = Leatd()
    talk("redis-py", leatd)
    if "protocol" in inspect.signature(redis.Redis.__init__).parameters:
        talk("redis-py with RESP 3", leatd, protocol=3)
    else:
        print(f"SKIPPED: redis-py {redis.__version__} does not speak RESP 3")
    pool(leatd)
    leatd = reconnect(leatd)
    leatd.stop()
    with_token()
    report("redis-py")


main()
