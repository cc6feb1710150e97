"""What the test gives its program, and the person at the browser: the test itself, which is told on one line what the
person says and the address they open, and answers on another where the browser was led."""
import json
import sys

given = json.loads(sys.argv[1])


def visit(url, says="allow"):
    print(says, url, flush=True)
    return sys.stdin.readline().strip()


def refused(error, call, *arguments, **named):
    """The call must be refused with that error of OAuth."""
    try:
        call(*arguments, **named)
    except Exception as e:
        assert getattr(e, "error", None) == error, f"{type(e).__name__}: {e}"
    else:
        raise AssertionError(f"{call} should have been refused with {error}")
