"""How a Python suite runs and reports: unittest, then the closing line that tools/run-tests reads."""
import sys
import unittest


class _Result(unittest.TextTestResult):
    """Counts passes, which unittest leaves out."""

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.passed = 0

    def addSuccess(self, test):
        super().addSuccess(test)
        self.passed += 1

    def addExpectedFailure(self, test, err):
        super().addExpectedFailure(test, err)
        self.passed += 1


def main(module: str = "__main__"):
    """Runs the tests of `module`, or those named on the command line (`Class`, `Class.test_x`), and exits."""
    loader = unittest.defaultTestLoader
    names = [name for name in sys.argv[1:] if not name.startswith("-")]
    loaded = sys.modules[module]
    tests = loader.loadTestsFromNames(names, loaded) if names else loader.loadTestsFromModule(loaded)
    runner = unittest.TextTestRunner(stream=sys.stdout, verbosity=2, resultclass=_Result)
    result = runner.run(tests)
    failed = len(result.failures) + len(result.errors) + len(result.unexpectedSuccesses)
    print(f"{result.passed} passed, {failed} failed, {len(result.skipped)} skipped", flush=True)
    sys.exit(1 if failed else 0)
