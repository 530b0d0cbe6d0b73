"""The checks, each against a made-up tree with one thing wrong, and against one with nothing wrong."""

import json
import pathlib
import subprocess
import tempfile
import unittest

SCRIPTS = pathlib.Path(__file__).resolve().parent.parent


def target(name: str, *dependencies: str, products: tuple[str, ...] = (), kind: str = "regular") -> dict:
    """A target as `swift package dump-package` shows it."""
    return {
        "name": name,
        "type": kind,
        "dependencies": [{"byName": [name, None]} for name in dependencies]
        + [{"product": [name, "a-package", None, None]} for name in products],
    }


class Tree(unittest.TestCase):
    def setUp(self) -> None:
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.root = pathlib.Path(directory.name)
        (self.root / "Sources").mkdir()

    def write(self, path: str, text: str) -> None:
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def problems(self, check: str, *arguments: str) -> list[str]:
        """What a check says about the tree; asserts that its exit status agrees."""
        command = [str(SCRIPTS / check), "--root", str(self.root), *arguments]
        answer = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
        said = answer.stdout.splitlines()
        self.assertEqual(answer.returncode, 1 if said else 0, answer.stdout)
        return said


class Imports(Tree):
    def check(self, *targets: dict) -> list[str]:
        self.write("manifest.json", json.dumps({"targets": list(targets)}))
        for each in targets:
            (self.root / "Sources" / each["name"]).mkdir(exist_ok=True)
        return self.problems("check-imports", "--manifest", str(self.root / "manifest.json"))

    def test_declared_imports_pass(self) -> None:
        self.write(
            "Sources/ApusSQL/A.swift",
            "package import ApusFaults\n@preconcurrency import struct Logging.Logger\nimport Synchronization\n",
        )
        self.assertEqual(
            self.check(target("ApusFaults"), target("ApusSQL", "ApusFaults", products=("Logging",))), []
        )

    def test_an_undeclared_target_is_found(self) -> None:
        self.write("Sources/ApusSQL/A.swift", "import ApusFaults\n")
        self.assertEqual(
            self.check(target("ApusFaults"), target("ApusSQL")),
            ["Sources/ApusSQL/A.swift:1: ApusSQL imports ApusFaults without declaring it"],
        )

    def test_an_undeclared_product_is_found(self) -> None:
        self.write("Sources/ApusSQL/A.swift", "// a comment\npackage import Logging\n")
        self.assertEqual(
            self.check(target("ApusSQL")),
            ["Sources/ApusSQL/A.swift:2: ApusSQL imports Logging without declaring it"],
        )

    def test_an_import_in_a_comment_or_a_text_is_none(self) -> None:
        self.write("Sources/ApusSQL/A.swift", '// import Logging\nlet a = """\nimport Logging\n"""\n')
        self.assertEqual(self.check(target("ApusSQL")), [])

    def test_a_sibling_is_refused(self) -> None:
        self.assertEqual(
            self.check(target("ApusCatalog"), target("ApusSQL", "ApusCatalog")),
            ["Package.swift: ApusSQL may not depend on ApusCatalog, which is not below it"],
        )

    def test_a_floor_above_is_refused(self) -> None:
        self.assertEqual(
            self.check(target("ApusDataAPI"), target("ApusPostgres", "ApusDataAPI")),
            ["Package.swift: ApusPostgres may not depend on ApusDataAPI, which is not below it"],
        )

    def test_the_planner_gets_no_sql(self) -> None:
        self.assertEqual(
            self.check(target("ApusSQL"), target("ApusPlanner", "ApusSQL")),
            ["Package.swift: ApusPlanner may not depend on ApusSQL"],
        )

    def test_a_target_without_a_floor_is_refused(self) -> None:
        self.assertEqual(
            self.check(target("ApusAttic")),
            ["Package.swift: target ApusAttic has no floor in scripts/check-imports"],
        )

    def test_a_reserved_module_stays_in_its_room(self) -> None:
        self.write("Sources/ApusDataAPI/A.swift", "import NIOCore\n")
        self.assertEqual(
            self.check(target("ApusDataAPI", products=("NIOCore",))),
            [
                "Sources/ApusDataAPI/A.swift:1: ApusDataAPI may not import NIOCore: "
                "only the edge, the bus to other nodes, who calls out, and who wires them, know NIO"
            ],
        )

    def test_tests_declare_their_imports_too(self) -> None:
        self.write("Tests/ApusSQLTests/A.swift", "import Testing\n@testable import ApusSQL\n")
        self.assertEqual(
            self.check(target("ApusSQL"), target("ApusSQLTests", kind="test")),
            ["Tests/ApusSQLTests/A.swift:2: ApusSQLTests imports ApusSQL without declaring it"],
        )


class Source(Tree):
    def check(self, text: str, path: str = "Sources/ApusSQL/Thing.swift") -> list[str]:
        self.write(path, text)
        return self.problems("check-source")

    def test_good_source_passes(self) -> None:
        self.assertEqual(self.check('struct Thing {\n    let text = "fatalError( try!"  // try! is bad\n}\n'), [])

    def test_empty_names_are_found(self) -> None:
        for name in ["StringUtils", "ConnectionManager", "HelperThing", "QueryHelpers"]:
            with self.subTest(name):
                self.assertEqual(len(self.check(f"enum {name} {{}}\n")), 1)

    def test_an_empty_file_name_is_found(self) -> None:
        self.assertEqual(len(self.check("", "Sources/ApusSQL/String+Utils.swift")), 1)

    def test_words_that_only_contain_them_pass(self) -> None:
        self.assertEqual(self.check("struct Management { var f: FileManager }\nextension FileManager {}\n"), [])

    def test_a_type_named_like_its_module_is_found(self) -> None:
        self.assertEqual(len(self.check("enum ApusSQL {}\n")), 1)

    def test_risks_without_a_reason_are_found(self) -> None:
        for risk in [
            'fatalError("no")', "try! run()", "final class A: @unchecked Sendable {}", "nonisolated(unsafe) var a = 1",
        ]:  # fmt: skip
            with self.subTest(risk):
                self.assertEqual(len(self.check(f"{risk}\n")), 1)
                self.assertEqual(self.check(f"/// Sendable: locked.\n{risk}\n"), [])
                self.assertEqual(self.check(f"{risk}  // Proof: it holds.\n"), [])

    def test_a_reason_far_away_excuses_nothing(self) -> None:
        gap = "\n" * 20
        self.assertEqual(len(self.check(f"// Proof: of something else{gap}try! run()\n")), 1)

    def test_an_endless_file_is_found(self) -> None:
        self.assertEqual(len(self.check("let a = 1\n" * 501)), 1)


class FaultCodes(Tree):
    def test_codes_on_both_sides_pass(self) -> None:
        self.write("Sources/ApusSQL/A.swift", 'let a = "APUS101"\nlet b = "PGRST200"\n')
        self.write("docs/errors.md", "| APUS101 | … |\n| PGRST200 | … |\n| APUS102 | retired |\n")
        self.assertEqual(self.problems("check-fault-codes"), [])

    def test_an_unlisted_code_is_found(self) -> None:
        self.write("Sources/ApusSQL/A.swift", 'let a = "APUS101"\n')
        self.write("docs/errors.md", "Errors\n")
        self.assertEqual(
            self.problems("check-fault-codes"), ["Sources/ApusSQL/A.swift: APUS101 is not in docs/errors.md"]
        )

    def test_a_listed_code_that_nothing_throws_is_found(self) -> None:
        self.write("docs/errors.md", "| APUS101 | … |\n")
        self.assertEqual(
            self.problems("check-fault-codes"), ["docs/errors.md: APUS101 is nowhere in Sources and not retired"]
        )


class Docs(Tree):
    def check(self, row: str, elsewhere: str = "") -> list[str]:
        self.write(
            "Sources/ApusServer/Configuration/SettingDefinition.swift",
            '.init(\n    "db-pool", .integer(1...1_000), "10", "Connections."),\n.init("db-uri", .string, nil, "Where."),\n',
        )
        self.write("docs/configuration.md", f"{row}\n| `db-uri` | `APUS_DB_URI`, `DATABASE_URL` | | where |\n{elsewhere}\n")
        return self.problems("check-docs")

    def test_a_page_with_all_settings_passes(self) -> None:
        self.assertEqual(self.check("| `db-pool` | `APUS_DB_POOL` | `10` | connections |"), [])

    def test_a_missing_setting_is_found(self) -> None:
        self.assertEqual(
            self.check(""),
            [
                "Sources/ApusServer/Configuration/SettingDefinition.swift: "
                "db-pool has no row in docs/configuration.md"
            ],
        )

    def test_another_default_is_found(self) -> None:
        self.assertEqual(
            self.check("| `db-pool` | `APUS_DB_POOL` | `12` | connections |"),
            ["docs/configuration.md: the default of db-pool is `10`, not `12`"],
        )

    def test_another_variable_is_found(self) -> None:
        self.assertEqual(
            self.check("| `db-pool` | `APUS_POOL` | `10` | connections |"),
            ["docs/configuration.md: APUS_POOL is not the variable of db-pool"],
        )

    def test_a_setting_that_is_none_is_found(self) -> None:
        row = "| `db-pool` | `APUS_DB_POOL` | `10` | connections |\n| `db-pond` | `APUS_DB_POND` | | ducks |"
        self.assertEqual(self.check(row), ["docs/configuration.md: there is no setting db-pond"])

    def test_a_link_to_nowhere_is_found(self) -> None:
        self.assertEqual(
            self.check("| `db-pool` | `APUS_DB_POOL` | `10` | connections |", "[a](rest.md#b) [c](https://d.example) [e](#f)"),
            ["docs/configuration.md: rest.md leads nowhere"],
        )


if __name__ == "__main__":
    unittest.main()
