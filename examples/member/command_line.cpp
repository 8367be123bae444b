#include "command_line.hpp"

#include <papilio/base/text.hpp>

#include <CLI/CLI.hpp>

#include <algorithm>
#include <memory>
#include <numeric>
#include <string>
#include <string_view>
#include <vector>

namespace papilio::example {

namespace {

/// How many letters must be added, left out or changed (Levenshtein).
std::size_t edit_distance(std::string_view a, std::string_view b)
{
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), 0u);
    for (std::size_t i = 0; i < a.size(); ++i) {
        std::size_t diagonal = row[0]++;
        for (std::size_t j = 0; j < b.size(); ++j) {
            const std::size_t changed = diagonal + (a[i] == b[j] ? 0 : 1);
            diagonal = row[j + 1];
            row[j + 1] = std::min({row[j] + 1, row[j + 1] + 1, changed});
        }
    }
    return row.back();
}

/// The option whose name is most like this one, without dashes.
std::string nearest_option(const CLI::App& app, std::string_view name)
{
    std::string nearest;
    std::size_t least = std::string::npos;
    for (const CLI::Option* option : app.get_options())
        for (const std::string& known : option->get_lnames())
            if (const auto distance = edit_distance(name, known); distance < least) {
                least = distance;
                nearest = known;
            }
    return nearest;
}

/// Files in CLI11's format, in which each name must be an option's.
class strict_config final : public CLI::ConfigBase {
public:
    explicit strict_config(CLI::App& app) : app_(app) {}

    std::vector<CLI::ConfigItem> from_config(std::istream& input) const override
    {
        auto found = CLI::ConfigBase::from_config(input);
        for (const auto& item : found) check(item.fullname());
        return found;
    }

private:
    void check(const std::string& name) const
    {
        if (app_.get_option_no_throw("--" + name) != nullptr) return;
        throw CLI::ConfigError(app_.get_config_ptr()->as<std::string>() + " sets '" +
                               printable(name, 60) + "', which is no option; the nearest is '" +
                               nearest_option(app_, name) + "'");
    }

    CLI::App& app_;
};

[[noreturn]] void refuse_extras(const CLI::App& app)
{
    const auto all = app.remaining();
    const auto dashed = std::ranges::find_if(all, [](const auto& s) { return s.starts_with("-"); });
    if (dashed == all.end())
        throw CLI::ValidationError("'" + printable(all.front(), 60) + "'", "belongs to no option");
    const auto name = dashed->substr(0, dashed->find('='));
    const auto letters = std::min(name.find_first_not_of('-'), name.size());
    throw CLI::ValidationError(printable(name, 60), "is no option; the nearest is --" +
                                                        nearest_option(app, name.substr(letters)));
}

}  // namespace

std::string program_name(int argc, const char* const* argv)
{
    const std::string_view called = argc > 0 ? argv[0] : "papilio";
    return std::string(called.substr(called.rfind('/') + 1));
}

void read_command_line(CLI::App& app, int argc, const char* const* argv)
{
    app.set_version_flag("--version", app.get_name() + " " + PAPILIO_VERSION);
    if (app.get_config_ptr() != nullptr) app.config_formatter(std::make_shared<strict_config>(app));
    try {
        app.parse(argc, argv);
    } catch (const CLI::Success& asked) {
        app.exit(asked);
        throw;
    } catch (const CLI::ExtrasError&) {
        refuse_extras(app);
    }
}

}  // namespace papilio::example
