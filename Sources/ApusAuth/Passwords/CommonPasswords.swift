/// The passwords that everybody tries first, refused without any file.
///
/// The 120,000 that leaked most (``CommonPasswordFilter``), and what is younger than those lists: words that people of many
/// countries choose, with the endings of this year, rows of digits, walks over the keyboard. Whoever wants all that leaked
/// names a file of it (``LeakedPasswords``).
enum CommonPasswords {
    /// - Parameter password: in lower case.
    static func contains(_ password: String) -> Bool {
        if wholes.contains(password) || isRun(password) { return true }
        if CommonPasswordFilter.builtIn.contains(password) { return true }
        return endings.contains { ending in
            password.hasSuffix(ending) && words.contains(String(password.dropLast(ending.count)))
        }
    }

    /// One character again and again, or characters that follow each other.
    private static func isRun(_ password: String) -> Bool {
        let bytes = Array(password.utf8)
        guard let first = bytes.first, bytes.count > 1 else { return false }
        let step = Int(bytes[1]) - Int(first)
        guard (-1...1).contains(step) else { return false }
        return zip(bytes, bytes.dropFirst()).allSatisfy { Int($1) - Int($0) == step }
    }

    private static let endings: [String] = [
        "", "1", "12", "123", "1234", "12345", "123456", "0", "01", "007", "11", "22", "69", "99", "!",
        "1!", "123!", "2020", "2021", "2022", "2023", "2024", "2025", "2026", "@123", "#1",
    ]

    private static let words: Set<String> = [
        "1q2w3e", "1q2w3e4r", "1q2w3e4r5t", "1qaz2wsx", "a1b2c3", "a1b2c3d4", "aa123456", "abc123",
        "abcd1234", "access", "admin", "administrator", "amanda", "america", "andrew", "android", "angel",
        "apple", "arsenal", "asdfgh", "asdfghjkl", "ashley", "australia", "autumn", "azerty", "backend",
        "bailey", "banana", "barcelona", "baseball", "basketball", "batman", "berlin", "bienvenue",
        "bigdog", "blessed", "blink182", "bonjour", "business", "buster", "butterfly", "canada",
        "changeme", "charlie", "cheese", "chelsea", "chocolate", "christ", "company", "computer",
        "contrasena", "cookie", "corvette", "cowboy", "dakota", "daniel", "database", "default", "diamond",
        "dollar", "dragon", "eagle", "eminem", "england", "facebook", "falcon", "family", "father",
        "february", "ferrari", "flower", "football", "forever", "fortnite", "freedom", "friday",
        "garfield", "geheim", "george", "germany", "ginger", "golden", "google", "guest", "hallo",
        "harley", "haslo", "heaven", "hello", "heslo", "hockey", "hunter", "iloveyou", "instagram",
        "internet", "iphone", "january", "jennifer", "jessica", "jesus", "jordan", "joshua", "juventus",
        "killer", "kitty", "letmein", "lightning", "liverpool", "login", "london", "losenord", "lovely",
        "lovers", "loveyou", "maggie", "master", "matrix", "matthew", "maverick", "mercedes", "metallica",
        "mexico", "michael", "mickey", "microsoft", "million", "minecraft", "minnie", "monday", "money",
        "monkey", "motdepasse", "mother", "mustang", "naruto", "newyork", "nicole", "nirvana", "nobody",
        "nothing", "orange", "p@ssw0rd", "p@ssword", "pa55word", "panther", "paris", "parola", "pass1234",
        "passw0rd", "passwd", "password", "passwort", "pepper", "phoenix", "pokemon", "porsche",
        "postgres", "princess", "puppy", "purple", "pussycat", "q1w2e3r4", "qazwsx", "qazwsxedc", "qwerty",
        "qwertyuiop", "qwertz", "ranger", "richard", "robert", "root", "salasana", "samantha", "samsung",
        "sasuke", "secret", "secret1", "senha", "server", "shadow", "silver", "slipknot", "snoopy",
        "soccer", "something", "spiderman", "spring", "starwars", "summer", "sunshine", "supabase",
        "superman", "temp", "temporary", "test", "testing", "thomas", "thunder", "tiger", "tigger",
        "toyota", "trustno1", "twitter", "user", "wachtwoord", "welcome", "whatever", "whatsapp",
        "william", "willkommen", "windows", "winter", "wolf", "yamaha", "yellow", "zaq12wsx", "zxcvbn",
        "zxcvbnm",
    ]

    private static let wholes: Set<String> = [
        "!qaz2wsx", "00000000", "0000000000", "0123456789", "10203040", "11111111", "111111111",
        "1111111111", "11223344", "112233445566", "12121212", "123123123", "123321123", "12341234",
        "12344321", "1234512345", "123454321", "12345678", "123456789", "1234567890", "123456qwerty",
        "12345qwert", "1234qwer", "123qweasd", "13131313", "147258369", "147852369", "159753456",
        "1q2w3e4r5t6y", "1qaz2wsx3edc", "1qazxsw2", "22222222", "31415926", "314159265", "33333333",
        "44444444", "52013140", "5201314520", "55555555", "66666666", "741852963", "77777777", "789456123",
        "87654321", "88888888", "987654321", "9876543210", "99999999", "aaaaaaaa", "abc12345", "abcabcabc",
        "abcdefgh", "abcdefghi", "abcdefghij", "asdf1234", "asdfasdf", "asdfjkl;", "p@ssw0rd!",
        "p@ssw0rd1", "passw0rd!", "password!", "q1w2e3r4t5", "qqqqqqqq", "qwe123qwe", "qweasd123",
        "qweasdzxc", "qweqweqwe", "qwer1234", "qwerqwer", "qwerty12345", "xxxxxxxx", "zaq1xsw2",
        "zaq1zaq1", "zxcv1234", "zzzzzzzz",
    ]
}
